#include "imgtool/union_files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace ckpt {

namespace {

// linux/magic.h knows the first and the last; AUFS lives outside the kernel's tree.
constexpr std::array<uint64_t, 3> kUnionMagics{0x794c7630 /* overlayfs */, 0x61756673 /* AUFS */,
                                               0x65735546 /* FUSE */};

}  // namespace

Result<UnionFiles> UnionFiles::Open(const std::string& root) {
  CKPT_TRY(UniqueFd fd, OpenFile(root, O_PATH | O_DIRECTORY));
  return UnionFiles(root, std::move(fd));
}

Result<std::optional<FileFacts>> UnionFiles::Find(const std::string& path) const {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const UniqueFd file(
      static_cast<int>(syscall(SYS_openat2, fd_.get(), path.c_str(), &how, sizeof(how))));
  const int saved = errno;
  if (!file.valid() && (saved == ENOENT || saved == ENOTDIR)) return std::optional<FileFacts>();
  if (!file.valid()) {
    return ErrnoError(saved, "openat2(\"{}\", \"{}\", O_PATH, RESOLVE_IN_ROOT)", root_, path);
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0) {
    const int stat_errno = errno;
    return ErrnoError(stat_errno, "fstat(\"{}\" in \"{}\")", path, root_);
  }
  return std::optional<FileFacts>(FileFacts{static_cast<uint64_t>(status.st_size), status.st_mode});
}

bool IsUnionMountpoint(const std::string& path) {
  struct statfs file_system {};
  struct statx status {};
  if (statfs(path.c_str(), &file_system) != 0) return false;
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &status) != 0) return false;
  const bool is_mount_root = (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  return is_mount_root &&
         std::ranges::find(kUnionMagics, static_cast<uint64_t>(file_system.f_type)) !=
             kUnionMagics.end();
}

}  // namespace ckpt
