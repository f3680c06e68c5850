// An image in memory: its entries with their original bytes.
#ifndef FORMATS_IMAGE_FILE_H_
#define FORMATS_IMAGE_FILE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/image_message.h"
#include "formats/image_reader.h"
#include "formats/image_type.h"

namespace ckpt {

class ImageFile {
 public:
  // `name` is for errors, which are those of ImageReader.
  static Result<ImageFile> Parse(std::string name, ImageType type, std::string bytes);

  const std::string& name() const { return name_; }
  ImageType type() const { return type_; }
  HeaderVersion header_version() const { return version_; }
  // Views into bytes(), which copies of this image share.
  const std::vector<ImageEntry>& entries() const { return entries_; }
  // The whole file; of a raw type all there is.
  Bytes bytes() const { return AsBytes(*bytes_); }

 private:
  ImageFile(std::string name, ImageType type, std::string bytes)
      : name_(std::move(name)),
        type_(type),
        bytes_(std::make_shared<const std::string>(std::move(bytes))) {}

  std::string name_;
  ImageType type_;
  std::shared_ptr<const std::string> bytes_;
  HeaderVersion version_ = HeaderVersion::kCurrent;
  std::vector<ImageEntry> entries_;
};

// Images are read whole; pages images, which are not, go through page_ranges.h.
inline constexpr size_t kMaxImageBytes = size_t{4} << 30;

// The image at `path`, of the type that its name or, where the name is none of an image, its magic
// says. Errors carry the path. kNotFound where there is no such file.
Result<ImageFile> ReadImageFile(const std::string& path);
Result<ImageFile> ReadImageFile(const std::string& path, ImageType type);

// The entries of `image` that are of type M; a head of another type is passed over. An image none
// of whose entries can be an M is kInternal.
template <typename M>
Result<std::vector<M>> ParseEntries(const ImageFile& image) {
  std::vector<M> messages;
  if (FindEntryDescriptor(image.type(), 0) != M::descriptor() &&
      FindEntryDescriptor(image.type(), 1) != M::descriptor()) {
    return MakeError(ErrorCode::kInternal, "{}: read as entries of type {}", image.name(),
                     M::descriptor()->name());
  }
  for (const ImageEntry& entry : image.entries()) {
    if (FindEntryDescriptor(image.type(), entry.index) != M::descriptor()) continue;
    CKPT_TRY(M message, ParseMessageAs<M>(entry.message));
    messages.push_back(std::move(message));
  }
  return messages;
}

// The one entry of an image that has one. kBadFormat where there are none or more.
template <typename M>
Result<M> ParseSingleEntry(const ImageFile& image) {
  CKPT_TRY(auto messages, ParseEntries<M>(image));
  if (messages.size() == 1) return std::move(messages.front());
  return MakeError(ErrorCode::kBadFormat, "{}: {} entries of type {}, 1 expected", image.name(),
                   messages.size(), M::descriptor()->name());
}

template <typename M>
Result<std::vector<M>> ReadEntries(const std::string& path) {
  CKPT_TRY(ImageFile image, ReadImageFile(path));
  return ParseEntries<M>(image);
}

template <typename M>
Result<M> ReadSingleEntry(const std::string& path) {
  CKPT_TRY(ImageFile image, ReadImageFile(path));
  return ParseSingleEntry<M>(image);
}

}  // namespace ckpt

#endif  // FORMATS_IMAGE_FILE_H_
