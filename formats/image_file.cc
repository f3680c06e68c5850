#include "formats/image_file.h"

#include <optional>

#include "base/file.h"

namespace ckpt {

Result<ImageFile> ImageFile::Parse(std::string name, ImageType type, std::string bytes) {
  ImageFile image(std::move(name), type, std::move(bytes));
  CKPT_TRY(auto reader, ImageReader::Open(image.name_, type, image.bytes()));
  image.version_ = reader.header_version();
  while (true) {
    CKPT_TRY(auto entry, reader.Next());
    if (!entry) return image;
    image.entries_.push_back(*entry);
  }
}

Result<ImageFile> ReadImageFile(const std::string& path) {
  std::string file_name = path.substr(path.rfind('/') + 1);
  if (auto name = FindImageTypeByFileName(file_name)) return ReadImageFile(path, name->type);
  CKPT_TRY(std::string bytes, ReadWholeFile(path, kMaxImageBytes));
  CKPT_TRY(ImageType type, IdentifyImage(path, AsBytes(bytes)));
  return ImageFile::Parse(path, type, std::move(bytes));
}

Result<ImageFile> ReadImageFile(const std::string& path, ImageType type) {
  CKPT_TRY(std::string bytes, ReadWholeFile(path, kMaxImageBytes));
  return ImageFile::Parse(path, type, std::move(bytes));
}

}  // namespace ckpt
