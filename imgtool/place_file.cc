#include "imgtool/place_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

namespace ckpt {

namespace {

constexpr size_t kCopyBufferBytes = size_t{1} << 20;

Result<> CopyContent(int source, const std::string& name, int target,
                     const std::string& target_name) {
  std::vector<std::byte> buffer(kCopyBufferBytes);
  while (true) {
    const ssize_t got = read(source, buffer.data(), buffer.size());
    const int saved = errno;
    if (got < 0 && saved == EINTR) continue;
    if (got < 0) return ErrnoError(saved, "read({})", name);
    if (got == 0) return success();
    CKPT_TRY(WriteAll(target, Bytes(buffer).first(static_cast<size_t>(got)), target_name));
  }
}

Result<Placement> FillNewFile(int source, const std::string& source_name, int target,
                              const std::string& target_name) {
  Placement placement = Placement::kReflinked;
  if (ioctl(target, FICLONE, source) != 0) {
    placement = Placement::kCopied;
    CKPT_TRY(CopyContent(source, source_name, target, target_name));
  }
  struct stat status {};
  if (fstat(source, &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fstat({})", source_name);
  }
  CopyExtendedAttributes(source_name, target);
  CKPT_TRY(CopyAttributes(target, status, target_name));
  if (fsync(target) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fsync({})", target_name);
  }
  return placement;
}

}  // namespace

Result<> WriteContent(int fd, const FileContent& content, const std::string& name) {
  CKPT_TRY(WriteAll(fd, AsBytes(content.bytes), name));
  if (!content.source.empty()) {
    CKPT_TRY(const UniqueFd source, OpenFile(content.source, O_RDONLY | O_NOFOLLOW));
    CKPT_TRY(CopyContent(source.get(), content.source, fd, name));
  }
  if (content.hole_bytes == 0) return success();
  const off_t end = lseek(fd, 0, SEEK_CUR);
  if (end < 0 || ftruncate(fd, end + static_cast<off_t>(content.hole_bytes)) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "ftruncate({}, {} bytes more)", name, content.hole_bytes);
  }
  return success();
}

void CopyExtendedAttributes(const std::string& source, int fd) {
  std::vector<char> names(XATTR_LIST_MAX);
  const ssize_t length = llistxattr(source.c_str(), names.data(), names.size());
  std::vector<char> value(XATTR_SIZE_MAX);
  for (ssize_t at = 0; at < length;) {
    const std::string name = &names[static_cast<size_t>(at)];
    at += static_cast<ssize_t>(name.size()) + 1;
    const ssize_t size = lgetxattr(source.c_str(), name.c_str(), value.data(), value.size());
    if (size >= 0) fsetxattr(fd, name.c_str(), value.data(), static_cast<size_t>(size), 0);
  }
}

Result<> CopyOwnerAndMode(int fd, const struct stat& status, const std::string& name) {
  if (fchown(fd, status.st_uid, status.st_gid) != 0) {
    const int saved = errno;
    if (saved != EPERM) {
      return ErrnoError(saved, "fchown({}, {}, {})", name, status.st_uid, status.st_gid);
    }
  }
  if (fchmod(fd, status.st_mode & 07777) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fchmod({}, {:#o})", name, status.st_mode & 07777);
  }
  return success();
}

Result<> CopyAttributes(int fd, const struct stat& status, const std::string& name) {
  CKPT_TRY(CopyOwnerAndMode(fd, status, name));
  const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
  if (futimens(fd, times.data()) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "futimens({})", name);
  }
  return success();
}

Result<Placement> PlaceFile(const std::string& source, const std::string& target) {
  if (link(source.c_str(), target.c_str()) == 0) return Placement::kHardLinked;
  const int saved = errno;
  if (saved == EEXIST || saved == ENOENT) {
    return ErrnoError(saved, "link(\"{}\", \"{}\")", source, target);
  }
  CKPT_TRY(const UniqueFd from, OpenFile(source, O_RDONLY | O_NOFOLLOW));
  CKPT_TRY(const UniqueFd to, OpenFile(target, O_WRONLY | O_CREAT | O_EXCL, 0600));
  auto placement = FillNewFile(from.get(), source, to.get(), target);
  if (placement.has_error()) unlink(target.c_str());
  return placement;
}

}  // namespace ckpt
