#include "process/memory_snapshot.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <future>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "process/frozen_process.h"
#include "process/maps.h"
#include "process/rseq_section.h"
#include "process/task_status.h"

namespace ckpt {

namespace {

// Shares its descriptors with its parent, so that it holds none of them open, and is not told of to
// the parent when it ends (no exit signal): only a wait with __WALL or __WCLONE finds it then.
constexpr int kCloneFlags = CLONE_FILES;

// The first to be killed (proc(5)).
constexpr std::string_view kMostLikelyKilled = "1000";

Result<UniqueFd> OpenPidfd(pid_t pid) {
  UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const int saved = errno;
  if (!fd.valid()) return ErrnoError(saved, "pidfd_open({})", pid);
  return fd;
}

// A zombie, too, is there.
bool IsThere(const UniqueFd& pidfd) {
  return syscall(SYS_pidfd_send_signal, pidfd.get(), 0, nullptr, 0) == 0;
}

Result<> PreferToKill(pid_t pid) {
  const std::string path = fmt::format("/proc/{}/oom_score_adj", pid);
  CKPT_TRY(const UniqueFd file, OpenFile(path, O_WRONLY));
  if (write(file.get(), kMostLikelyKilled.data(), kMostLikelyKilled.size()) > 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "write(\"{}\")", path);
}

// Children can be born into other namespaces than their parent's (unshare(2)). The first in a PID
// namespace takes it along when it ends, and nobody can set the clocks of a time namespace that has
// a member: such a child would be noticed. A namespace without members has no name yet.
Result<> CheckThatChildrenStay(pid_t pid) {
  for (const std::string_view kind : {"pid", "time"}) {
    const std::string link = fmt::format("/proc/{}/ns/{}", pid, kind);
    const Result<std::string> own = ReadLink(link);
    if (own.has_error()) continue;  // the kernel has no such namespaces
    const Result<std::string> of_children = ReadLink(link + "_for_children");
    if (of_children.has_value() && of_children.value() == own.value()) continue;
    return MakeError(ErrorCode::kUnsupported,
                     "process {}: its children are born into another {} namespace", pid, kind);
  }
  return success();
}

// A filter that the process has got since may kill it for a call that is not its own.
Result<> CheckThatCallsAreSafe(pid_t pid, pid_t tid) {
  CKPT_TRY(const TaskStatus status, ReadTaskStatus(pid, tid));
  if (status.seccomp_mode == 0) return success();
  return MakeError(ErrorCode::kUnsupported, "thread {} is in seccomp mode {}", tid,
                   status.seccomp_mode);
}

// A child that has ended, by any thread of its parent, if it is still there to be waited for.
Result<> Reap(FrozenProcess& parent, const std::vector<RemoteRange>& executable, pid_t child) {
  Tracee& thread = parent.threads().front();
  CKPT_TRY(CheckThatCallsAreSafe(parent.pid(), thread.tid()));
  CKPT_TRY(const RemoteMemory memory, RemoteMemory::Open(parent.pid()));
  CKPT_TRY(const auto rseq, thread.GetRseqConfiguration());
  if (rseq) CKPT_TRY(AbortRseqSection(thread, memory, *rseq));
  CKPT_TRY(const int64_t reaped, RemoteSyscalls::CallOnce(thread, memory, executable, SYS_wait4,
                                                          {child, 0, WNOHANG | __WALL, 0}));
  if (reaped == child || reaped == -ECHILD) return success();
  return ErrnoError(reaped < 0 ? static_cast<int>(-reaped) : EBUSY, "remote wait4({})", child);
}

}  // namespace

MemorySnapshot::MemorySnapshot(pid_t origin, UniqueFd origin_pidfd, pid_t child,
                               const RemoteSyscalls& engine)
    : origin_(origin),
      origin_pidfd_(std::move(origin_pidfd)),
      child_(std::make_unique<Tracee>(Tracee::Adopt(child))),
      engine_(engine) {}

MemorySnapshot::MemorySnapshot(MemorySnapshot&&) noexcept = default;

MemorySnapshot::~MemorySnapshot() {
  if (child_) static_cast<void>(End());
}

Result<MemorySnapshot> MemorySnapshot::Take(Tracee& leader, const RemoteSyscalls& engine) {
  CKPT_TRY(CheckThatChildrenStay(leader.tid()));
  CKPT_TRY(UniqueFd pidfd, OpenPidfd(leader.tid()));
  SyscallBatch batch = engine.NewBatch(1);
  batch.Add(SyscallBatch::OnError::kStop, SYS_clone, {kCloneFlags, 0, 0, 0, 0});
  // The child gets the options of its parent, who must not keep them.
  CKPT_TRY(leader.SetOptions(PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL));
  const Result<> made = engine.RunAll(leader, batch, "a copy of the process");
  const std::vector<pid_t> children = leader.TakeMadeTasks();
  CKPT_TRY(leader.SetOptions(0));
  if (children.empty()) {
    CKPT_TRY(made);
    return MakeError(ErrorCode::kSystem, "process {}: clone made no child", leader.tid());
  }
  MemorySnapshot snapshot(leader.tid(), std::move(pidfd), children.front(), engine);
  CKPT_TRY(made);
  snapshot.number_in_origin_ = static_cast<pid_t>(batch.result(0));
  return snapshot;
}

Result<> MemorySnapshot::OpenMemory() {
  CKPT_TRY(RemoteMemory memory, RemoteMemory::Open(pid()));
  memory_ = std::make_unique<RemoteMemory>(std::move(memory));
  return success();
}

Result<> MemorySnapshot::Settle() {
  CKPT_TRY(child_->WaitForStop());
  CKPT_TRY(const int64_t closed,
           engine_.Call(*child_, SYS_close_range, {0, ~0U, CLOSE_RANGE_UNSHARE}));
  if (closed < 0) return ErrnoError(static_cast<int>(-closed), "remote close_range");
  return PreferToKill(pid());
}

Result<std::chrono::microseconds> MemorySnapshot::End() {
  const std::unique_ptr<Tracee> child = std::move(child_);
  if (child->tid() != 0) kill(child->tid(), SIGKILL);
  while (child->tid() != 0 && child->WaitForStop().has_value()) {
  }
  // A thread that does not stop in time (vfork) cannot be let go, and would stop later: the kernel
  // lets it go when its tracer ends. Where no thread can be had, it is done here.
  constexpr auto kBest = std::launch::async | std::launch::deferred;
  return std::async(kBest, [this] { return ReapByOrigin(); }).get();
}

Result<std::chrono::microseconds> MemorySnapshot::ReapByOrigin() const {
  if (!IsThere(origin_pidfd_)) return std::chrono::microseconds();
  // wait4 would take any child for 0.
  if (number_in_origin_ <= 0) {
    return MakeError(ErrorCode::kSystem, "process {}: the number of its child is unknown", origin_);
  }
  // Before the stop, for it takes long where there are many; an instruction that is gone since is
  // not found.
  const Result<std::vector<Mapping>> mappings = ReadMappings(origin_, FallbackKernelFeatures());
  const auto start = std::chrono::steady_clock::now();
  Result<FrozenProcess> frozen = FrozenProcess::FreezeOneThread(origin_);
  // Its children are another's once all its threads have ended, too.
  const bool has_ended = frozen.has_error() && frozen.error().code == ErrorCode::kProcessGone;
  if (has_ended || !IsThere(origin_pidfd_)) return std::chrono::microseconds();
  CKPT_TRY(FrozenProcess origin, std::move(frozen));
  CKPT_TRY(mappings);
  CKPT_TRY(Reap(origin, FindExecutableRanges(mappings.value()), number_in_origin_));
  CKPT_TRY(origin.Thaw());
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                               start);
}

}  // namespace ckpt
