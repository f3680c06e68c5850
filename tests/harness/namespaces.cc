#include "tests/harness/namespaces.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
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

int RunAsInit(const std::function<int()>& body) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const Result<> mounted = MountProc();
  if (mounted.has_value()) return body();
  fmt::print(stderr, "{}\n", mounted.error().message);
  return static_cast<int>(mounted.error().code);
}

}  // namespace

Result<int> RunInNamespaces(const std::function<int()>& body) {
  if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) {
    return ErrnoError(errno, "unshare(CLONE_NEWPID | CLONE_NEWNS)");
  }
  const pid_t child = fork();
  if (child < 0) return ErrnoError(errno, "fork()");
  if (child == 0) {
    const int status = RunAsInit(body);
    fflush(nullptr);
    // Not exit(): LeakSanitizer cannot look for leaks where it cannot trace its own process.
    _exit(status);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return ErrnoError(errno, "waitpid({}, 0)", child);
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace ckpt
