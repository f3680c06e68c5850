// Where a check reads a dump: a directory, an archive in memory, or what a rewrite is about to
// write.
#ifndef FORMATS_CHECK_CHECK_SOURCE_H_
#define FORMATS_CHECK_CHECK_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/image_file.h"

namespace ckpt {

class CheckSource {
 public:
  virtual ~CheckSource() = default;

  // All files, images or not, in the order of bytes.
  virtual const std::vector<std::string>& file_names() const = 0;
  // An image. Errors name it.
  virtual Result<ImageFile> Read(const std::string& file_name) const = 0;
  // The same, without its extras: hands each message, with its index, to `visit`, until that fails.
  using MessageVisit = std::function<Result<>(size_t index, Bytes message)>;
  virtual Result<HeaderVersion> ReadMessages(const std::string& file_name,
                                             const MessageVisit& visit) const;
  // At most `limit_bytes` from the start of any file.
  virtual Result<std::string> ReadStart(const std::string& file_name, size_t limit_bytes) const = 0;
  // In bytes. Nothing for what is no file: a directory, a symbolic link.
  virtual Result<std::optional<uint64_t>> FileSize(const std::string& file_name) const = 0;
  // How many bytes of pages are in a compressed pages image. Nothing where the source cannot tell.
  virtual Result<std::optional<uint64_t>> UnpackedSize(const std::string& /*file_name*/) const {
    return std::optional<uint64_t>();
  }
};

class DirectoryCheckSource : public CheckSource {
 public:
  // Lists the directory; reads no file.
  static Result<DirectoryCheckSource> Open(std::string path);

  const std::vector<std::string>& file_names() const override { return file_names_; }
  Result<ImageFile> Read(const std::string& file_name) const override;
  // In memory that does not grow with extras, nor with the number of entries.
  Result<HeaderVersion> ReadMessages(const std::string& file_name,
                                     const MessageVisit& visit) const override;
  Result<std::string> ReadStart(const std::string& file_name, size_t limit_bytes) const override;
  Result<std::optional<uint64_t>> FileSize(const std::string& file_name) const override;
  Result<std::optional<uint64_t>> UnpackedSize(const std::string& file_name) const override;

 private:
  explicit DirectoryCheckSource(std::string path) : path_(std::move(path)) {}

  std::string PathOf(const std::string& file_name) const { return path_ + "/" + file_name; }

  std::string path_;
  std::vector<std::string> file_names_;
};

}  // namespace ckpt

#endif  // FORMATS_CHECK_CHECK_SOURCE_H_
