// The images of a dump as passes read them, wherever the dump lies: in a directory, or in an
// archive that was unpacked into memory.
#ifndef IMGTOOL_IMAGE_SOURCE_H_
#define IMGTOOL_IMAGE_SOURCE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/image_file.h"

namespace ckpt {

class ImageSource {
 public:
  // Lists the directory; reads no file.
  static Result<ImageSource> OfDirectory(std::string path);

  // `members` by file name; those without bytes are there, but too big to be read.
  using Members = std::map<std::string, std::optional<std::string>>;
  using Sizes = std::map<std::string, uint64_t>;  // of those without bytes
  static ImageSource OfMembers(std::string name, Members members, Sizes sizes = {});

  // The dump, for messages.
  const std::string& name() const { return name_; }
  // All files, images or not, in the order of bytes.
  const std::vector<std::string>& file_names() const { return file_names_; }
  bool Has(std::string_view file_name) const;

  // An image by its file name, or the bytes of any file. Errors carry dump and name. kNotFound
  // where there is none, kUnsupported where it is too big to be read.
  Result<ImageFile> Read(const std::string& file_name) const;
  // In bytes. Nothing for what is no file: a directory, a symbolic link.
  Result<std::optional<uint64_t>> FileSize(const std::string& file_name) const;
  // At most `limit_bytes` from the start of a file; nothing of one that is too big to be read.
  Result<std::string> ReadStart(const std::string& file_name, size_t limit_bytes) const;
  Result<std::string> ReadBytes(const std::string& file_name, size_t limit_bytes) const;

 private:
  explicit ImageSource(std::string name) : name_(std::move(name)) {}

  std::string PathOf(const std::string& file_name) const { return name_ + "/" + file_name; }

  std::string name_;
  bool in_memory_ = false;
  std::vector<std::string> file_names_;
  Members members_;
  Sizes sizes_;
};

}  // namespace ckpt

#endif  // IMGTOOL_IMAGE_SOURCE_H_
