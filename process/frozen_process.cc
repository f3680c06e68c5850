#include "process/frozen_process.h"

#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

#include "process/task_list.h"
#include "process/task_stat.h"

namespace ckpt {

namespace {

// A thread may end at any moment; that is no failure of the freeze.
bool HasEnded(const Error& error) { return error.code == ErrorCode::kProcessGone; }

// PTRACE_SEIZE of a thread on its way out is EPERM, too (ptrace_attach in kernel/ptrace.c).
bool IsEnding(pid_t pid, pid_t tid) {
  const Result<TaskStat> stat = ReadTaskStat(pid, tid);
  return stat.has_error() || stat.value().state == 'Z' || stat.value().state == 'X';
}

// In the kernel, so that it does not stop before that is over: for a disk, or a child of vfork.
bool Waits(pid_t pid, pid_t tid) {
  const Result<TaskStat> stat = ReadTaskStat(pid, tid);
  return stat.has_value() && stat.value().state == 'D';
}

// Within what any thread stops that is not waiting for another: one that has called vfork(2) does
// not before its child has called execve(2), and one that waits for a dead disk never does.
constexpr int kLooksBeforeSleep = 100;
constexpr int kLooks = 20'000;
constexpr timespec kSleepBetweenLooks{0, 100'000};

// Whether the thread stops, or ends, before our patience does. It is still to be waited for.
bool StopsInTime(pid_t tid) {
  for (int look = 0; look < kLooks; ++look) {
    siginfo_t info{};
    const int waited = waitid(P_PID, static_cast<id_t>(tid), &info,
                              WSTOPPED | WEXITED | WNOWAIT | WNOHANG | __WALL);
    if (waited != 0 || info.si_pid != 0) return true;
    if (look >= kLooksBeforeSleep) nanosleep(&kSleepBetweenLooks, nullptr);
  }
  return false;
}

// Waits for the stop that Interrupt() asked for, and returns it. Signals that were about to be
// delivered are put back by resuming into them: they stay pending, for the interrupt comes first.
Result<Stop> WaitForInterrupt(Tracee& thread) {
  while (true) {
    if (!StopsInTime(thread.tid())) {
      return MakeError(ErrorCode::kUnsupported,
                       "thread {} does not stop: it waits in the kernel, or for a child of vfork",
                       thread.tid());
    }
    CKPT_TRY(const Stop stop, thread.WaitForStop());
    if (stop.kind == Stop::Kind::kEvent || stop.kind == Stop::Kind::kGroup) return stop;
    CKPT_TRY(thread.Resume(stop.kind == Stop::Kind::kSignal ? stop.signal : 0));
  }
}

// Takes the end of a traced thread that was killed, if it is there. True as well when it is gone.
bool TakeEnd(pid_t tid) {
  int status = 0;
  pid_t found = 0;
  while ((found = waitpid(tid, &status, __WALL | WNOHANG)) == tid) {
    if (!WIFSTOPPED(status)) return true;
  }
  return found < 0;
}

}  // namespace

Result<FrozenProcess> FrozenProcess::Freeze(pid_t pid) {
  CKPT_TRY(FrozenProcess frozen, Seize(pid));
  CKPT_TRY(frozen.Settle());
  return frozen;
}

Result<FrozenProcess> FrozenProcess::FreezeOneThread(pid_t pid) {
  CKPT_TRY(std::vector<pid_t> tids, ListThreads(pid));
  const auto ready = std::ranges::find_if_not(tids, [pid](pid_t tid) { return Waits(pid, tid); });
  if (ready != tids.end()) std::iter_swap(tids.begin(), ready);
  for (const pid_t tid : tids) {
    FrozenProcess frozen(pid);
    CKPT_TRY(const bool is_asked, frozen.SeizeThread(tid));
    if (is_asked) CKPT_TRY(frozen.AwaitStops());
    if (!frozen.threads_.empty()) return frozen;
  }
  return MakeError(ErrorCode::kProcessGone, "process {}: its threads have ended", pid);
}

Result<FrozenProcess> FrozenProcess::Seize(pid_t pid) {
  FrozenProcess frozen(pid);
  CKPT_TRY(frozen.SeizeNewThreads());
  return frozen;
}

FrozenProcess::FrozenProcess(FrozenProcess&& other) noexcept
    : pid_(other.pid_),
      threads_(std::exchange(other.threads_, {})),
      stopped_count_(std::exchange(other.stopped_count_, 0)),
      stop_signal_(other.stop_signal_) {}

// A thread can be detached only while it is stopped.
FrozenProcess::~FrozenProcess() {
  for (size_t i = stopped_count_; i < threads_.size(); ++i) {
    static_cast<void>(WaitForInterrupt(threads_[i]));
  }
}

Result<> FrozenProcess::Settle() {
  bool found_new = true;
  while (found_new) {
    CKPT_TRY(AwaitStops());
    CKPT_TRY(found_new, SeizeNewThreads());
  }
  PutLeaderFirst();
  if (threads_.empty() || leader().tid() != pid_) {
    return MakeError(ErrorCode::kProcessGone, "process {}: its leader has ended", pid_);
  }
  return success();
}

// True when the listing had threads that were not known yet. They are asked to stop.
Result<bool> FrozenProcess::SeizeNewThreads() {
  CKPT_TRY(const std::vector<pid_t> tids, ListThreads(pid_));
  std::vector<pid_t> known;
  for (const Tracee& thread : threads_) known.push_back(thread.tid());
  std::ranges::sort(known);
  for (const pid_t tid : tids) {
    if (std::ranges::binary_search(known, tid)) continue;
    CKPT_TRY(SeizeThread(tid));
  }
  return threads_.size() > known.size();
}

// False where it ends; else it is asked to stop.
Result<bool> FrozenProcess::SeizeThread(pid_t tid) {
  Result<Tracee> thread = Tracee::Seize(tid, 0);
  if (thread.has_error() && (HasEnded(thread.error()) || IsEnding(pid_, tid))) return false;
  CKPT_TRY(Tracee seized, std::move(thread));
  const Result<> interrupted = seized.Interrupt();
  if (interrupted.has_error() && HasEnded(interrupted.error())) return false;
  CKPT_TRY(interrupted);
  threads_.push_back(std::move(seized));
  return true;
}

// Threads that end instead of stopping are passed over.
Result<> FrozenProcess::AwaitStops() {
  std::vector<pid_t> ended;
  for (; stopped_count_ < threads_.size(); ++stopped_count_) {
    const pid_t tid = threads_[stopped_count_].tid();
    const Result<Stop> stop = WaitForInterrupt(threads_[stopped_count_]);
    if (stop.has_error() && HasEnded(stop.error())) {
      ended.push_back(tid);
      continue;
    }
    CKPT_TRY(const Stop seen, stop);
    if (seen.kind == Stop::Kind::kGroup) stop_signal_ = seen.signal;
  }
  if (ended.empty()) return success();
  std::vector<Tracee> stopped;
  for (Tracee& thread : threads_) {
    // An ended thread has forgotten its number, unless it went before it could be waited for.
    const bool gone = thread.tid() == 0 || std::ranges::find(ended, thread.tid()) != ended.end();
    if (!gone) stopped.push_back(std::move(thread));
  }
  threads_.swap(stopped);
  stopped_count_ = threads_.size();
  return success();
}

void FrozenProcess::PutLeaderFirst() {
  const auto leader = std::ranges::find(threads_, pid_, &Tracee::tid);
  if (leader == threads_.begin() || leader == threads_.end()) return;
  std::vector<Tracee> ordered;
  ordered.push_back(std::move(*leader));
  for (Tracee& thread : threads_) {
    if (thread.tid() != 0) ordered.push_back(std::move(thread));
  }
  threads_.swap(ordered);
}

Result<> FrozenProcess::Thaw() {
  for (Tracee& thread : threads_) {
    Result<> detached = thread.Detach();
    if (detached.has_error() && !HasEnded(detached.error())) return detached;
  }
  threads_.clear();
  stopped_count_ = 0;
  return success();
}

Result<> FrozenProcess::Kill() {
  if (kill(pid_, SIGKILL) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "kill({}, SIGKILL)", pid_);
  }
  AwaitEnd();
  return success();
}

void FrozenProcess::AwaitEnd() {
  stopped_count_ = 0;
  std::vector<pid_t> tids;
  for (const Tracee& thread : threads_) tids.push_back(thread.tid());
  // In any order: the leader is not gone before its tracer has seen every other thread go, and the
  // last thread of the first process of a pid namespace not before all others are gone.
  for (std::erase_if(tids, TakeEnd); !tids.empty(); std::erase_if(tids, TakeEnd)) {
    const timespec moment{.tv_sec = 0, .tv_nsec = 100'000};
    nanosleep(&moment, nullptr);
  }
  threads_.clear();
}

}  // namespace ckpt
