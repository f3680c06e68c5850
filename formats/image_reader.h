// Reading an image from bytes: header, then entry after entry, each with its original bytes.
// Every error names the file, and the entry and its offset in the file where there is one.
#ifndef FORMATS_IMAGE_READER_H_
#define FORMATS_IMAGE_READER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/image_framing.h"
#include "formats/image_type.h"

namespace ckpt {

struct ImageEntry {
  size_t index;   // from 0
  size_t offset;  // of its length, from the start of the file
  Bytes message;  // the original bytes; an address in an image with ImageFraming::kLegacyPages
  Bytes extra;    // with its padding; the page in an image with ImageFraming::kLegacyPages
};

// The type of an image whose name does not tell, by its magics alone. Of the types that share a
// magic it is the owner. kBadFormat: no magic of the format.
Result<ImageType> IdentifyImage(const std::string& name, Bytes bytes);

class ImageReader {
 public:
  // `name` is for errors; `bytes` must outlive the reader and its entries. kBadFormat: an empty
  // file, a header that is cut short, a magic that is not the type's. A raw type has neither header
  // nor entries.
  static Result<ImageReader> Open(std::string name, ImageType type, Bytes bytes);

  HeaderVersion header_version() const { return version_; }

  // Nothing at the end of the file. The message parses and has its required fields, and the extra
  // is whole. After an error the reader is of no use.
  Result<std::optional<ImageEntry>> Next();

 private:
  ImageReader(std::string name, const ImageTypeInfo& info, Bytes bytes)
      : name_(std::move(name)), info_(&info), reader_(bytes) {}

  Result<Bytes> ReadFramedMessage();
  Result<Bytes> ReadExtra(Bytes message);
  Result<ImageEntry> ReadEntry();
  Result<ImageEntry> ReadLegacyPage();

  std::string name_;
  const ImageTypeInfo* info_;
  ByteReader reader_;
  HeaderVersion version_ = HeaderVersion::kCurrent;
  size_t index_ = 0;
};

}  // namespace ckpt

#endif  // FORMATS_IMAGE_READER_H_
