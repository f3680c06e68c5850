// A whole image as JSON, in the shape of `crit decode`.
#ifndef FORMATS_JSON_IMAGE_H_
#define FORMATS_JSON_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/byte_source.h"
#include "formats/image_stream.h"
#include "formats/image_type.h"
#include "formats/json_message.h"
#include "formats/json_text.h"

namespace ckpt {

class JsonTemplate;

struct JsonImageOptions {
  JsonStyle spelling = JsonStyle::kPlain;
  // A line for the header and one for each entry, instead of one value.
  bool lines = false;
  // Where the fields do not give the bytes of an entry back, its bytes, too: keys `raw` (a message,
  // base64), `extra_padding` (base64) and, in the header, `img_version`.
  bool lossless = false;
  // With several, long images of small entries are written by that many.
  size_t threads = 1;
  // A key `file` in front of `magic`, where it is not empty.
  std::string file_name = {};
};

// What encoding the JSON of an image would not give back.
struct InexactParts {
  struct Entry {
    size_t index;
    uint64_t offset;
    uint8_t causes;        // a set of Inexact
    bool padding = false;  // its extra is padded by other bytes than zeros
  };
  bool old_header = false;  // it is of version 1
  uint64_t entry_count = 0;
  std::vector<Entry> entries;  // the first of them, at most kMostEntries
  static constexpr size_t kMostEntries = 10;

  void Add(const Entry& entry);
  void Append(const InexactParts& later);
  bool empty() const { return !old_header && entry_count == 0; }
};

// Writes images entry by entry as they are read; memory does not grow with their number, nor with
// the size of extras. Spellings are those of the options, commas and indents those of `text`.
class JsonImageWriter {
 public:
  JsonImageWriter(JsonText& text, JsonStyle spelling)
      : JsonImageWriter(text, JsonImageOptions{.spelling = spelling}) {}
  JsonImageWriter(JsonText& text, JsonImageOptions options)
      : text_(text), options_(std::move(options)) {}

  // One value: {"magic": NAME, "entries": [{field: value, ..., "extra": payload}, ...]}. A damaged
  // image is still a whole JSON value: the entries before the damage, then "error" with the message
  // that is also returned. `name` is for errors. A raw type is described and not read:
  // see WriteRaw().
  Result<> Write(const std::string& name, ImageType type, ByteSource& source);
  Result<> Write(const std::string& name, ImageType type, Bytes bytes);

  // {"raw": true, "type": NAME, "size_bytes": N}.
  void WriteRaw(ImageType type, uint64_t size_bytes);
  // The same with the bytes, as "extra" in base64. Without the size where it is not known.
  Result<> WriteRawContent(ImageType type, ByteSource& source);

  // Of all images so far; see JsonMessageWriter.
  uint64_t unknown_fields() const { return unknown_fields_; }
  const InexactParts& inexact() const { return inexact_; }

 private:
  class Blocks;
  struct BlockForm;

  void BeginImage(ImageType type, HeaderVersion version);
  void EndImage(const Result<>& done);
  void BeginRaw(ImageType type);
  Result<> WriteEntries(const std::string& name, const ImageTypeInfo& info, ImageStream& image);
  Result<> WriteOneByOne(const std::string& name, const ImageTypeInfo& info, ImageStream& image,
                         size_t limit);
  Result<> WriteEntry(const ImageTypeInfo& info, const StreamedEntry& entry, ImageStream* image);
  Result<> WriteInTurn(const BlockForm& form, const EntryBlock& first, ImageStream& image);
  Result<> WriteByThreads(const BlockForm& form, const EntryBlock& first, ImageStream& image);
  Result<> WriteBlock(const BlockForm& form, const EntryBlock& block);
  bool WriteByTemplate(const JsonTemplate& entries, Bytes& framed);
  Result<> WriteMessage(const StreamedEntry& entry);
  Result<> WriteExtra(ExtraKind kind, const StreamedEntry& entry, ImageStream& image);
  Result<> WriteBytes(uint64_t size_bytes, ImageStream& image);
  Result<> WritePayload(uint64_t size_bytes, ImageStream& image);
  Result<> WriteRest(ImageStream& image);
  Result<> WritePadding(const StreamedEntry& entry, uint64_t size_bytes, ImageStream& image);
  Result<> WriteTcpQueues(const StreamedEntry& entry, uint64_t in_bytes, ImageStream& image);
  Result<> WriteSemaphores(const StreamedEntry& entry, ImageStream& image);
  Result<> WriteQueuedMessages(const StreamedEntry& entry, ImageStream& image);
  // Gives how many bytes it took.
  Result<uint64_t> WriteQueuedMessage(const StreamedEntry& entry, ImageStream& image);
  Result<> WriteQueued(const StreamedEntry& part, uint64_t text_bytes, uint64_t padding,
                       ImageStream& image);
  void WriteLegacyPage(const StreamedEntry& entry);

  JsonText& text_;
  JsonImageOptions options_;
  uint64_t unknown_fields_ = 0;
  InexactParts inexact_;
};

}  // namespace ckpt

#endif  // FORMATS_JSON_IMAGE_H_
