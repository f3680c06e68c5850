#include "imgtool/check/root_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "imgtool/build_id.h"

namespace ckpt {

Result<RootFiles> RootFiles::Open(const std::string& root) {
  CKPT_TRY(UniqueFd fd, OpenFile(root, O_PATH | O_DIRECTORY));
  return RootFiles(root, std::move(fd));
}

Result<std::optional<RootFile>> RootFiles::Find(const std::string& path,
                                                bool wants_build_id) const {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const UniqueFd fd(
      static_cast<int>(syscall(SYS_openat2, fd_.get(), path.c_str(), &how, sizeof(how))));
  const int saved = errno;
  const bool is_absent =
      saved == ENOENT || saved == ENOTDIR || saved == ELOOP || saved == ENAMETOOLONG;
  if (!fd.valid() && is_absent) return std::optional<RootFile>();
  if (!fd.valid()) {
    return ErrnoError(saved, "openat2(\"{}\", \"{}\", O_PATH, RESOLVE_IN_ROOT)", root_, path);
  }
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) {
    const int stat_errno = errno;
    return ErrnoError(stat_errno, "fstat(\"{}\" in \"{}\")", path, root_);
  }
  RootFile file{status.st_mode, static_cast<uint64_t>(status.st_size), std::nullopt};
  if (wants_build_id && S_ISREG(status.st_mode)) {
    CKPT_TRY(file.build_id, ReadBuildId(fmt::format("/proc/self/fd/{}", fd.get())));
  }
  return std::optional(std::move(file));
}

}  // namespace ckpt
