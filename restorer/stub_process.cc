#include "restorer/stub_process.h"

#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace ckpt {

namespace {

// All signals, the C library's own too; the mask of before comes back.
class BlockedSignals {
 public:
  BlockedSignals() {
    const uint64_t all = ~uint64_t{0};
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof(all));
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() {
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof(before_));
  }

 private:
  uint64_t before_ = 0;
};

// What the child does until it is seized: it is driven from outside then.
[[noreturn]] void WaitToBeSeized(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);  // it ended before the line above
  while (true) pause();
}

Error InUse(pid_t id) {
  return MakeError(ErrorCode::kSystem, "pid {} is in use: the process cannot have it again", id);
}

Result<> CheckUnused(const std::vector<pid_t>& ids) {
  for (const pid_t id : ids) {
    if (kill(id, 0) == 0 || errno != ESRCH) return InUse(id);
  }
  return success();
}

Result<pid_t> CloneWithPid(pid_t pid) {
  clone_args args{};
  args.exit_signal = SIGCHLD;
  args.set_tid = reinterpret_cast<uint64_t>(&pid);
  args.set_tid_size = 1;
  const pid_t parent = getpid();
  const BlockedSignals blocked;
  const long made = syscall(SYS_clone3, &args, sizeof(args));
  const int saved = errno;
  if (made == 0) WaitToBeSeized(parent);
  if (made < 0 && saved == EEXIST) return InUse(pid);
  if (made < 0) return ErrnoError(saved, "clone3 with set_tid {}", pid);
  return static_cast<pid_t>(made);
}

}  // namespace

Result<StubProcess> StubProcess::Create(pid_t pid, std::vector<pid_t> thread_ids) {
  CKPT_TRY(CheckUnused(thread_ids));
  CKPT_TRY(const pid_t made, CloneWithPid(pid));
  StubProcess stub(made, std::move(thread_ids));
  CKPT_TRY(stub.SeizeAndStop());
  return stub;
}

Result<> StubProcess::SeizeAndStop() {
  CKPT_TRY(Tracee leader, Tracee::Seize(pid_, PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE));
  threads_.push_back(std::move(leader));
  CKPT_TRY(threads_.front().Interrupt());
  CKPT_TRY(threads_.front().WaitForStop());
  return success();
}

StubProcess::~StubProcess() {
  if (pid_ != 0) KillAndReap();
}

// Before any Tracee lets its thread go. The leader is reported only when the other threads, which
// we trace too, have been reaped.
void StubProcess::KillAndReap() {
  kill(pid_, SIGKILL);
  const auto reap = [](pid_t id) {
    int status = 0;
    while (waitpid(id, &status, __WALL) >= 0 || errno == EINTR) {
      if (WIFEXITED(status) || WIFSIGNALED(status)) return;
    }
  };
  for (const pid_t id : thread_ids_) {
    if (id != pid_) reap(id);
  }
  reap(pid_);
}

Result<> StubProcess::Release() {
  for (Tracee& thread : threads_) CKPT_TRY(thread.Detach());
  pid_ = 0;
  return success();
}

}  // namespace ckpt
