#include "formats/check/check_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "formats/byte_source.h"
#include "formats/image_stream.h"
#include "formats/pages_image.h"

namespace ckpt {

namespace {

// The messages of a queue, whose sizes are in their midst, are passed over in memory; they are
// bounded by what the kernel queues.
bool CanStream(const ImageTypeInfo& info) {
  return info.framing != ImageFraming::kLegacyPages && info.extra != ExtraKind::kMessages;
}

}  // namespace

Result<HeaderVersion> CheckSource::ReadMessages(const std::string& file_name,
                                                const MessageVisit& visit) const {
  CKPT_TRY(const ImageFile image, Read(file_name));
  for (const ImageEntry& entry : image.entries()) CKPT_TRY(visit(entry.index, entry.message));
  return image.header_version();
}

Result<DirectoryCheckSource> DirectoryCheckSource::Open(std::string path) {
  DirectoryCheckSource source(std::move(path));
  CKPT_TRY(source.file_names_, ListDirectory(source.path_));
  return source;
}

Result<ImageFile> DirectoryCheckSource::Read(const std::string& file_name) const {
  return ReadImageFile(PathOf(file_name));
}

Result<HeaderVersion> DirectoryCheckSource::ReadMessages(const std::string& file_name,
                                                         const MessageVisit& visit) const {
  const auto name = FindImageTypeByFileName(file_name);
  if (!name || !CanStream(GetImageType(name->type))) {
    return CheckSource::ReadMessages(file_name, visit);
  }
  CKPT_TRY(const UniqueFd fd, OpenFile(PathOf(file_name), O_RDONLY));
  DescriptorSource bytes(fd.get(), PathOf(file_name));
  CKPT_TRY(ImageStream image, ImageStream::Open(PathOf(file_name), name->type, bytes));
  while (true) {
    CKPT_TRY(const auto entry, image.Next());
    if (!entry) return image.header_version();
    CKPT_TRY(visit(entry->index, entry->message));
    CKPT_TRY(image.PassOverExtra(*entry));
  }
}

Result<std::string> DirectoryCheckSource::ReadStart(const std::string& file_name,
                                                    size_t limit_bytes) const {
  const std::string path = PathOf(file_name);
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_RDONLY | O_NONBLOCK));
  std::string start(limit_bytes, '\0');
  const ssize_t got = pread(fd.get(), start.data(), start.size(), 0);
  if (got < 0) {
    const int saved = errno;
    return ErrnoError(saved, "pread(\"{}\", {}, 0)", path, limit_bytes);
  }
  start.resize(static_cast<size_t>(got));
  return start;
}

Result<std::optional<uint64_t>> DirectoryCheckSource::FileSize(const std::string& file_name) const {
  struct stat status {};
  if (lstat(PathOf(file_name).c_str(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "lstat(\"{}\")", PathOf(file_name));
  }
  if (!S_ISREG(status.st_mode)) return std::optional<uint64_t>();
  return std::optional(static_cast<uint64_t>(status.st_size));
}

Result<std::optional<uint64_t>> DirectoryCheckSource::UnpackedSize(
    const std::string& file_name) const {
  CKPT_TRY(const PagesImage pages, PagesImage::OpenCompressed(PathOf(file_name)));
  return std::optional(pages.size_bytes());
}

}  // namespace ckpt
