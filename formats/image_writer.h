// Writing an image: entries from messages, or from the original bytes of an image that was read.
#ifndef FORMATS_IMAGE_WRITER_H_
#define FORMATS_IMAGE_WRITER_H_

#include <google/protobuf/message.h>

#include <string>
#include <utility>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/image_reader.h"
#include "formats/image_type.h"

namespace ckpt {

// Builds the bytes of an image. Only for types with entries.
class ImageEncoder {
 public:
  explicit ImageEncoder(ImageType type, HeaderVersion version = HeaderVersion::kCurrent);

  // kInternal: the message is not of the type of this entry, a required field is missing, or the
  // extra, padding included, is not as long as the message says.
  Result<> Append(const google::protobuf::Message& message, Bytes extra = {});

  // As they are. With those of an ImageFile in turn the result is that file again.
  void AppendOriginal(Bytes message, Bytes extra);

  const std::string& bytes() const { return bytes_; }
  // Takes what was encoded since the start or the last call.
  std::string TakeBytes() { return std::exchange(bytes_, {}); }

 private:
  const ImageTypeInfo* info_;
  size_t index_ = 0;
  std::string bytes_;
};

// Under its final name when it is whole and synced, mode 0644.
Result<> WriteImageFile(const std::string& path, const ImageEncoder& image);

// Writes an image to a file as it grows, for images too big to be built first. The descriptor and
// the final name are the caller's business.
class ImageStreamWriter {
 public:
  // `name` is for errors.
  ImageStreamWriter(int fd, std::string name, ImageType type)
      : fd_(fd), name_(std::move(name)), encoder_(type) {}

  // After an error the file is of no use.
  Result<> Append(const google::protobuf::Message& message, Bytes extra = {});
  Result<> AppendOriginal(Bytes message, Bytes extra);
  // Writes what is still in memory. Without it the image is not whole.
  Result<> Finish();

 private:
  Result<> WriteWhenMuch();

  int fd_;
  std::string name_;
  ImageEncoder encoder_;
};

}  // namespace ckpt

#endif  // FORMATS_IMAGE_WRITER_H_
