#include "imgtool/image_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "formats/image_type.h"

namespace ckpt {

Result<ImageSource> ImageSource::OfDirectory(std::string path) {
  ImageSource images(std::move(path));
  CKPT_TRY(images.file_names_, ListDirectory(images.name_));
  return images;
}

ImageSource ImageSource::OfMembers(std::string name, Members members, Sizes sizes) {
  ImageSource images(std::move(name));
  images.in_memory_ = true;
  for (const auto& [file_name, bytes] : members) images.file_names_.push_back(file_name);
  images.members_ = std::move(members);
  images.sizes_ = std::move(sizes);
  return images;
}

bool ImageSource::Has(std::string_view file_name) const {
  return std::ranges::binary_search(file_names_, file_name);
}

Result<ImageFile> ImageSource::Read(const std::string& file_name) const {
  if (!in_memory_) return ReadImageFile(PathOf(file_name));
  CKPT_TRY(std::string bytes, ReadBytes(file_name, kMaxImageBytes));
  const auto image = FindImageTypeByFileName(file_name);
  if (image) return ImageFile::Parse(PathOf(file_name), image->type, std::move(bytes));
  CKPT_TRY(const ImageType type, IdentifyImage(PathOf(file_name), AsBytes(bytes)));
  return ImageFile::Parse(PathOf(file_name), type, std::move(bytes));
}

Result<std::optional<uint64_t>> ImageSource::FileSize(const std::string& file_name) const {
  if (in_memory_) {
    const auto member = members_.find(file_name);
    if (member != members_.end() && member->second) return std::optional(member->second->size());
    const auto size = sizes_.find(file_name);
    return size == sizes_.end() ? std::optional<uint64_t>() : size->second;
  }
  struct stat status {};
  if (lstat(PathOf(file_name).c_str(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "lstat(\"{}\")", PathOf(file_name));
  }
  if (!S_ISREG(status.st_mode)) return std::optional<uint64_t>();
  return std::optional(static_cast<uint64_t>(status.st_size));
}

Result<std::string> ImageSource::ReadStart(const std::string& file_name, size_t limit_bytes) const {
  if (in_memory_) {
    const auto member = members_.find(file_name);
    const bool is_there = member != members_.end() && member->second;
    return is_there ? member->second->substr(0, limit_bytes) : std::string();
  }
  CKPT_TRY(const UniqueFd fd, OpenFile(PathOf(file_name), O_RDONLY | O_NONBLOCK));
  std::string start(limit_bytes, '\0');
  const ssize_t got = pread(fd.get(), start.data(), start.size(), 0);
  if (got < 0) {
    const int saved = errno;
    return ErrnoError(saved, "pread(\"{}\", {}, 0)", PathOf(file_name), limit_bytes);
  }
  start.resize(static_cast<size_t>(got));
  return start;
}

Result<std::string> ImageSource::ReadBytes(const std::string& file_name, size_t limit_bytes) const {
  if (!in_memory_) return ReadWholeFile(PathOf(file_name), limit_bytes);
  const auto found = members_.find(file_name);
  if (found == members_.end()) {
    return MakeError(ErrorCode::kNotFound, "{}: the archive has no such member", PathOf(file_name));
  }
  if (!found->second || found->second->size() > limit_bytes) {
    return MakeError(ErrorCode::kUnsupported, "{}: more than the {} bytes allowed",
                     PathOf(file_name), limit_bytes);
  }
  return *found->second;
}

}  // namespace ckpt
