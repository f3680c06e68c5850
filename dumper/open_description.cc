#include "dumper/open_description.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace ckpt {

namespace {

// linux/fcntl.h, CONFIG_CHECKPOINT_RESTORE: two uid_t, real and effective.
constexpr int kFGetOwnerUids = 17;

}  // namespace

Result<OpenDescription> ReadOpen(pid_t pid, int pidfd, int number) {
  OpenDescription opened;
  opened.pid = pid;
  opened.number = number;
  CKPT_TRY(opened.file, ReadLinkedFile(fmt::format("/proc/{}/fd/{}", pid, number)));
  CKPT_TRY(opened.info, ReadFdInfo(pid, number));
  opened.copy = UniqueFd(static_cast<int>(syscall(SYS_pidfd_getfd, pidfd, number, 0)));
  const int saved = errno;
  if (!opened.copy.valid()) return ErrnoError(saved, "pidfd_getfd(process {}, {})", pid, number);
  return opened;
}

Result<pb::fown_entry> ReadOwner(const OpenDescription& opened) {
  f_owner_ex owner{};
  std::array<uid_t, 2> uids{};
  const int fd = opened.copy.get();
  // A descriptor opened by O_PATH has no owner to ask for (EBADF).
  if (!opened.IsPathOnly() && fcntl(fd, F_GETOWN_EX, &owner) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fcntl(F_GETOWN_EX)");
  }
  const int signal = owner.pid == 0 ? 0 : fcntl(fd, F_GETSIG);
  if (owner.pid != 0 && fcntl(fd, kFGetOwnerUids, uids.data()) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fcntl(F_GETOWNER_UIDS)");
  }
  pb::fown_entry entry;
  entry.set_uid(uids[0]);
  entry.set_euid(uids[1]);
  entry.set_signum(static_cast<uint32_t>(signal));
  entry.set_pid_type(owner.pid == 0 ? 0 : static_cast<uint32_t>(owner.type));
  entry.set_pid(static_cast<uint32_t>(owner.pid));
  return entry;
}

}  // namespace ckpt
