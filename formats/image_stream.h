// Reading an image from a source, front to back, holding one entry at a time: what ImageReader does
// with all of it in memory. Extras are read in pieces.
#ifndef FORMATS_IMAGE_STREAM_H_
#define FORMATS_IMAGE_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/byte_source.h"
#include "formats/extra.h"
#include "formats/image_framing.h"
#include "formats/image_type.h"
#include "formats/json_schema.h"
#include "formats/message_scan.h"

namespace ckpt {

struct StreamedEntry {
  size_t index = 0;                           // from 0
  uint64_t offset = 0;                        // of its length, from the start of the file
  Bytes message;                              // valid until something else is read
  const JsonMessageSchema* schema = nullptr;  // null with ImageFraming::kLegacyPages
  MessageScan scan;
  ExtraLayout extra;  // has to be read before the next entry
};

// Whole entries as they stand in the file, for types without extras.
struct EntryBlock {
  size_t first_index = 0;
  uint64_t offset = 0;
  Bytes framed;
};

class ImageStream {
 public:
  // As ImageReader::Open(), with the same errors. `source` must outlive it.
  static Result<ImageStream> Open(std::string name, ImageType type, ByteSource& source);

  HeaderVersion header_version() const { return version_; }

  // Nothing at the end. The message is sound; that the extra is whole is known here where the
  // source knows its size, and else when it is read.
  Result<std::optional<StreamedEntry>> Next();

  // The entry at the front of `framed`, which is removed from it; `index` and `offset` are its own.
  // For blocks, on any thread with a schema of its own.
  static Result<StreamedEntry> ParseEntry(const std::string& name, const ImageTypeInfo& info,
                                          const JsonMessageSchema& schema, size_t index,
                                          uint64_t offset, Bytes& framed);

  // The message of the entry at the front of `framed`.
  static Bytes FirstMessage(Bytes framed);

  // Whole entries, as many as make a block that is worth a thread; nothing at the end. Not for
  // types with extras, nor before the head of types that have one was read. Valid until something
  // else is read.
  Result<std::optional<EntryBlock>> NextBlock();

  // Over the whole extra of the entry that was read last, without reading it where the source can
  // do that. Not over queued messages, whose sizes are in their midst.
  Result<> PassOverExtra(const StreamedEntry& entry);
  // Exactly that many bytes of the extra; what is wrong where there are fewer is the caller's to
  // tell, with missing().
  Result<std::optional<Bytes>> ReadExact(size_t size_bytes);
  // That many bytes, fewer only at the end of the file.
  Result<Bytes> ReadSome(size_t limit_bytes);
  // How many bytes are there still, where that is known.
  std::optional<uint64_t> remaining() const { return window_.remaining(); }
  // After a ReadExact() that found too few: how many there are.
  size_t visible_bytes() const { return window_.visible().size(); }

 private:
  ImageStream(std::string name, const ImageTypeInfo& info, ByteSource& source)
      : name_(std::move(name)), info_(&info), window_(source) {}

  Result<uint32_t> ReadMagic();
  Result<StreamedEntry> ReadEntry();
  Result<StreamedEntry> ReadLegacyPage();
  // The length and the message at the front, not consumed.
  Result<Bytes> ShowFramed();
  Result<> FindExtra(StreamedEntry& entry);
  void FindDescriptor();
  Error At(Error error, uint64_t offset) const;

  std::string name_;
  const ImageTypeInfo* info_;
  ByteWindow window_;
  // Of the next entry.
  const google::protobuf::Descriptor* descriptor_ = nullptr;
  const JsonMessageSchema* schema_ = nullptr;
  HeaderVersion version_ = HeaderVersion::kCurrent;
  size_t index_ = 0;
};

}  // namespace ckpt

#endif  // FORMATS_IMAGE_STREAM_H_
