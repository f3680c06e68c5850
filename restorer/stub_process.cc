#include "restorer/stub_process.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "base/file.h"

namespace ckpt {

namespace {

constexpr unsigned long kTraceOptions =
    PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;

// Of a message that a child reports: more is cut off. It fits in a pipe.
constexpr size_t kMostReportBytes = size_t{32} * 1024;

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

// How a child says what came of its preparation: its error's code, or 0, then the message.
struct Report {
  UniqueFd reader, writer;
};

Result<Report> MakeReport() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "pipe2(O_CLOEXEC)");
  }
  return Report{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// In one write(2), so that the reader has all or nothing.
void Send(const Report& report, const Result<>& result) {
  const int code = result.has_error() ? static_cast<int>(result.error().code) : 0;
  std::string bytes(reinterpret_cast<const char*>(&code), sizeof(code));
  if (result.has_error()) bytes += result.error().message;
  if (bytes.size() > kMostReportBytes) bytes.resize(kMostReportBytes);
  while (write(report.writer.get(), bytes.data(), bytes.size()) < 0 && errno == EINTR) {
  }
}

Result<> Receive(const Report& report, pid_t child, const UniqueFd& child_pidfd) {
  std::array<pollfd, 2> fds = {pollfd{report.reader.get(), POLLIN, 0},
                               pollfd{child_pidfd.get(), POLLIN, 0}};
  while (poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
  }
  // The child shares our descriptors: its end does not close the pipe.
  if ((fds[0].revents & POLLIN) == 0) {
    return MakeError(ErrorCode::kProcessGone, "process {} ended while it was prepared", child);
  }
  std::string bytes(kMostReportBytes, '\0');
  const ssize_t got = read(report.reader.get(), bytes.data(), bytes.size());
  const int saved = errno;
  if (got < 0) return ErrnoError(saved, "read of what process {} reports", child);
  int code = 0;
  CKPT_CHECK(static_cast<size_t>(got) >= sizeof(code));
  std::memcpy(&code, bytes.data(), sizeof(code));
  if (code == 0) return success();
  bytes.resize(static_cast<size_t>(got));
  return Error{static_cast<ErrorCode>(code), bytes.substr(sizeof(code))};
}

bool HasEnded(int pidfd) {
  pollfd ended{pidfd, POLLIN, 0};
  return poll(&ended, 1, 0) != 0;
}

// What the child does until it is seized: it is driven from outside then. An ignored SIGCHLD would
// have the kernel reap the children that it will get.
[[noreturn]] void RunChild(const StubOptions& options, const Report& report, int parent_pidfd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (HasEnded(parent_pidfd)) _exit(0);  // before the line above
  signal(SIGCHLD, SIG_DFL);
  Send(report, options.prepare ? options.prepare() : success());
  while (true) pause();
}

struct Child {
  pid_t pid = 0;
  UniqueFd pidfd;
};

Result<Child> CloneChild(const StubOptions& options, const Report& report, int parent_pidfd) {
  int pidfd = -1;
  clone_args args{};
  args.flags = options.namespaces | CLONE_FILES | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  args.set_tid = reinterpret_cast<uint64_t>(&options.pid);
  args.set_tid_size = 1;
  const BlockedSignals blocked;
  const long made = syscall(SYS_clone3, &args, sizeof(args));
  const int saved = errno;
  if (made == 0) RunChild(options, report, parent_pidfd);
  if (made < 0 && saved == EEXIST) {
    return MakeError(ErrorCode::kSystem, "pid {} is in use: the process cannot have it again",
                     options.pid);
  }
  if (made < 0) return ErrnoError(saved, "clone3 with set_tid {}", options.pid);
  return Child{static_cast<pid_t>(made), UniqueFd(pidfd)};
}

Result<UniqueFd> OpenOwnPidfd() {
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  const int saved = errno;
  if (!pidfd.valid()) return ErrnoError(saved, "pidfd_open({})", getpid());
  return pidfd;
}

// As its tracer, and, when it is our child by then, as its parent.
void AwaitEndOf(pid_t id) {
  int status = 0;
  while (waitpid(id, &status, __WALL) >= 0 || errno == EINTR) {
    if (WIFEXITED(status) || WIFSIGNALED(status)) return;
  }
}

}  // namespace

Result<StubProcess> StubProcess::Create(const StubOptions& options) {
  CKPT_TRY(const Report report, MakeReport());
  CKPT_TRY(const UniqueFd own_pidfd, OpenOwnPidfd());
  CKPT_TRY(const Child child, CloneChild(options, report, own_pidfd.get()));
  StubProcess stub(child.pid);
  CKPT_TRY(Receive(report, child.pid, child.pidfd));
  CKPT_TRY(stub.SeizeAndStop());
  return stub;
}

Result<StubProcess> StubProcess::Adopt(pid_t made) {
  StubProcess stub(made);
  stub.threads_.push_back(Tracee::Adopt(made));
  CKPT_TRY(stub.leader().WaitForStop());
  return stub;
}

Result<> StubProcess::SeizeAndStop() {
  CKPT_TRY(Tracee leader, Tracee::Seize(pid_, kTraceOptions));
  threads_.push_back(std::move(leader));
  CKPT_TRY(threads_.front().Interrupt());
  CKPT_TRY(threads_.front().WaitForStop());
  return success();
}

StubProcess::~StubProcess() {
  if (pid_ == 0) return;
  Kill();
  AwaitEnd();
}

void StubProcess::Kill() const {
  if (pid_ != 0) kill(pid_, SIGKILL);
}

// Before any Tracee lets its thread go. The leader is reported only when the other threads, which
// we trace too, have been reaped.
void StubProcess::AwaitEnd() {
  for (Tracee& thread : threads_) {
    for (const pid_t made : thread.TakeMadeTasks()) {
      kill(made, SIGKILL);  // a process that nobody adopted
      AwaitEndOf(made);
    }
  }
  for (const Tracee& thread : threads_) {
    if (thread.tid() != pid_ && thread.tid() != 0) AwaitEndOf(thread.tid());
  }
  AwaitEndOf(std::exchange(pid_, 0));
}

Result<> StubProcess::Release() {
  for (Tracee& thread : threads_) CKPT_TRY(thread.Detach());
  pid_ = 0;
  return success();
}

}  // namespace ckpt
