#include "restorer/path_opener.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

namespace ckpt {

namespace {

// Character devices whose descriptors have no state but flags and a position: /dev/mem's kind,
// major 1 (Linux, Documentation/admin-guide/devices.txt): null, zero, full, random, urandom, kmsg.
constexpr unsigned kMemoryDevices = 1;

// The flags that openat2(2) takes beside O_PATH.
constexpr int kPathFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Error Differs(const FilePlan& file, std::string difference) {
  return MakeError(ErrorCode::kUnsupported, "{}: {}: {}", file.place, file.path, difference);
}

Result<> CheckKind(const FilePlan& file, const struct stat& found, int flags) {
  if (file.kind == FilePlan::Kind::kFifo) {
    if (S_ISFIFO(found.st_mode)) return success();
    return Differs(file, fmt::format("is not a FIFO (mode {:#o})", found.st_mode));
  }
  if ((flags & O_PATH) != 0 || S_ISREG(found.st_mode) || S_ISDIR(found.st_mode)) return success();
  if (!S_ISCHR(found.st_mode)) {
    return Differs(file, fmt::format("is neither a regular file, a directory nor a device (mode "
                                     "{:#o})",
                                     found.st_mode));
  }
  if (major(found.st_rdev) != kMemoryDevices) {
    return Differs(file, fmt::format("device {}:{} is not supported", major(found.st_rdev),
                                     minor(found.st_rdev)));
  }
  return success();
}

Result<> CheckAttributes(const FilePlan& file, const struct stat& found) {
  if (file.mode && *file.mode != found.st_mode) {
    return Differs(file,
                   fmt::format("mode is {:#o}, the dump says {:#o}", found.st_mode, *file.mode));
  }
  if (file.size_bytes && S_ISREG(found.st_mode) &&
      *file.size_bytes != static_cast<uint64_t>(found.st_size)) {
    return Differs(
        file, fmt::format("size is {} bytes, the dump says {}", found.st_size, *file.size_bytes));
  }
  return success();
}

}  // namespace

Result<PathOpener> PathOpener::Create(const std::string& root) {
  if (root.empty()) return PathOpener(UniqueFd());
  CKPT_TRY(UniqueFd directory, OpenFile(root, O_PATH | O_DIRECTORY));
  return PathOpener(std::move(directory));
}

Result<UniqueFd> PathOpener::OpenPath(const std::string& path, int flags) const {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_NOCTTY));
  how.resolve = root_.valid() ? RESOLVE_IN_ROOT : 0;
  const int directory = root_.valid() ? root_.get() : AT_FDCWD;
  // EAGAIN: something was renamed or mounted anywhere meanwhile, and the kernel could not be sure
  // of a "..", as openat2(2) says; but a lease gives it, too, and stays.
  constexpr int kTries = 64;
  long fd = -1;
  int saved = EAGAIN;
  for (int i = 0; i < kTries && fd < 0 && saved == EAGAIN; ++i) {
    fd = syscall(SYS_openat2, directory, path.c_str(), &how, sizeof(how));
    saved = errno;
  }
  if (fd < 0) return ErrnoError(saved, "{}", path);
  return UniqueFd(static_cast<int>(fd));
}

Result<UniqueFd> PathOpener::Open(const FilePlan& file, int flags) const {
  const auto open = [&]() -> Result<UniqueFd> {
    CKPT_TRY(UniqueFd place, OpenPath(file.path, O_PATH | (flags & O_NOFOLLOW)));
    struct stat found {};
    if (fstat(place.get(), &found) < 0) {
      const int saved = errno;
      return ErrnoError(saved, "fstat of {}", file.path);
    }
    CKPT_TRY(CheckKind(file, found, flags));
    CKPT_TRY(CheckAttributes(file, found));
    return OpenPath(file.path, (flags & O_PATH) != 0 ? flags & kPathFlags : flags);
  };
  Result<UniqueFd> opened = open();
  if (opened.has_error() && !opened.error().message.starts_with(file.place)) {
    return std::move(opened).error().In(file.place);
  }
  return opened;
}

}  // namespace ckpt
