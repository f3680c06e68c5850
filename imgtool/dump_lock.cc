#include "imgtool/dump_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

namespace ckpt {

namespace {

// Whoever had the lock before may have put something else in the place of what was opened.
bool IsStillAt(int fd, const std::string& path) {
  struct stat opened {};
  struct stat there {};
  return fstat(fd, &opened) == 0 && lstat(path.c_str(), &there) == 0 &&
         opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}

}  // namespace

Result<std::optional<DumpLock>> DumpLock::TryTake(const std::string& path) {
  while (true) {
    CKPT_TRY(UniqueFd fd, OpenFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      const int saved = errno;
      if (saved == EWOULDBLOCK) return std::optional<DumpLock>();
      return ErrnoError(saved, "flock(\"{}\", LOCK_EX)", path);
    }
    if (IsStillAt(fd.get(), path)) return std::optional<DumpLock>(DumpLock(std::move(fd)));
  }
}

Result<DumpLock> DumpLock::Take(const std::string& path) {
  CKPT_TRY(auto lock, TryTake(path));
  if (lock) return std::move(*lock);
  return MakeError(ErrorCode::kUnsupported, "{}: another process is rewriting it", path);
}

}  // namespace ckpt
