#include "process/joined_namespaces.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/file.h"

namespace ckpt {

namespace {

Result<> Join(pid_t pid, int clone_flags) {
  if (clone_flags == 0) return success();
  const UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const int saved = errno;
  if (!pidfd.valid()) return ErrnoError(saved, "pidfd_open({})", pid);
  // A mount namespace cannot be joined while root and working directory are shared.
  if ((clone_flags & CLONE_NEWNS) != 0 && unshare(CLONE_FS) != 0) {
    return ErrnoError(errno, "unshare(CLONE_FS)");
  }
  if (setns(pidfd.get(), clone_flags) == 0) return success();
  return ErrnoError(errno, "setns(pidfd of {}, {:#x})", pid, clone_flags);
}

}  // namespace

Result<> RunInNamespacesOf(pid_t pid, int clone_flags, const std::function<Result<>()>& work) {
  Result<> outcome = success();
  std::thread([&] {
    outcome = Join(pid, clone_flags);
    if (outcome.has_value()) outcome = work();
  }).join();
  return outcome;
}

}  // namespace ckpt
