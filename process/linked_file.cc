#include "process/linked_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace ckpt {

namespace {

constexpr std::string_view kDeletedSuffix = " (deleted)";

// d_path() appends the suffix; a file may also really be named so.
bool NameOpensTheFile(const LinkedFile& file) {
  struct stat status {};
  return lstat(file.path.c_str(), &status) == 0 && status.st_ino == file.inode &&
         status.st_dev == makedev(file.dev_major, file.dev_minor);
}

Result<LinkedFile> StatLink(int fd, const std::string& name, int flags, std::string link_text) {
  LinkedFile file;
  file.path = std::move(link_text);
  struct statx status {};
  if (statx(fd, name.c_str(), AT_NO_AUTOMOUNT | flags, STATX_BASIC_STATS | STATX_MNT_ID, &status) !=
      0) {
    const int saved = errno;
    return ErrnoError(saved, "statx(\"{}\" -> \"{}\")", name, file.path);
  }
  file.mode = status.stx_mode;
  file.size_bytes = status.stx_size;
  file.allocated_bytes = status.stx_blocks * 512;
  file.inode = status.stx_ino;
  file.dev_major = status.stx_dev_major;
  file.dev_minor = status.stx_dev_minor;
  file.rdev_major = status.stx_rdev_major;
  file.rdev_minor = status.stx_rdev_minor;
  file.link_count = status.stx_nlink;
  if ((status.stx_mask & STATX_MNT_ID) != 0) file.mnt_id = static_cast<int32_t>(status.stx_mnt_id);
  return file;
}

}  // namespace

Result<LinkedFile> ReadLinkedFile(int directory_fd, const std::string& name) {
  CKPT_TRY(std::string link_text, ReadLinkAt(directory_fd, name));
  return StatLinkedFile(directory_fd, name, std::move(link_text));
}

Result<LinkedFile> StatLinkedFile(int directory_fd, const std::string& name,
                                  std::string link_text) {
  return StatLink(directory_fd, name, 0, std::move(link_text));
}

Result<LinkedFile> StatLinkedFile(int fd, std::string link_text) {
  return StatLink(fd, "", AT_EMPTY_PATH, std::move(link_text));
}

Result<LinkedFile> ReadLinkedFile(const std::string& path) {
  return ReadLinkedFile(AT_FDCWD, path);
}

bool IsDeleted(const LinkedFile& file) {
  if (!file.path.starts_with('/')) return false;
  if (file.link_count == 0) return true;
  return file.path.ends_with(kDeletedSuffix) && !NameOpensTheFile(file);
}

std::string NameOf(const LinkedFile& file) {
  const bool has_suffix = file.path.ends_with(kDeletedSuffix) && IsDeleted(file);
  return has_suffix ? file.path.substr(0, file.path.size() - kDeletedSuffix.size()) : file.path;
}

}  // namespace ckpt
