#include "tests/harness/namespaces.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ckpt {
namespace {

Result<> MountProc() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return ErrnoError(errno, "mount(\"/\", MS_REC | MS_PRIVATE)");
  }
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    return ErrnoError(errno, "mount(\"/proc\", \"proc\")");
  }
  return success();
}

// Runs `run` in a child that ends with this process. It ends by _exit(), not exit(): LeakSanitizer
// cannot look for leaks in the new namespaces, nor where their children would be born.
Result<int> RunInChild(const std::function<Result<int>()>& run) {
  const pid_t child = fork();
  if (child < 0) return ErrnoError(errno, "fork()");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const Result<int> status = run();
    if (status.has_error()) fmt::print(stderr, "{}\n", status.error().message);
    fflush(nullptr);
    _exit(status.has_value() ? status.value() : static_cast<int>(status.error().code));
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return ErrnoError(errno, "waitpid({}, 0)", child);
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Result<int> RunAsInit(const std::function<int()>& body) {
  CKPT_TRY(MountProc());
  return body();
}

}  // namespace

Result<int> RunInNamespaces(const std::function<int()>& body) {
  // Two children: whoever unshares a PID namespace can have no more of them once its first is dead.
  return RunInChild([&]() -> Result<int> {
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) {
      return ErrnoError(errno, "unshare(CLONE_NEWPID | CLONE_NEWNS)");
    }
    return RunInChild([&] { return RunAsInit(body); });
  });
}

}  // namespace ckpt
