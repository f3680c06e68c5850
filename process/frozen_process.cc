#include "process/frozen_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

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

// Waits for the stop that Interrupt() asked for, and returns it. Signals that were about to be
// delivered are put back by resuming into them: they stay pending, for the interrupt comes first.
Result<Stop> WaitForInterrupt(Tracee& thread) {
  while (true) {
    CKPT_TRY(const Stop stop, thread.WaitForStop());
    if (stop.kind == Stop::Kind::kEvent || stop.kind == Stop::Kind::kGroup) return stop;
    CKPT_TRY(thread.Resume(stop.kind == Stop::Kind::kSignal ? stop.signal : 0));
  }
}

}  // namespace

Result<FrozenProcess> FrozenProcess::Freeze(pid_t pid) {
  FrozenProcess frozen(pid);
  while (true) {
    CKPT_TRY(const bool found_new, frozen.SeizeNewThreads());
    if (!found_new) break;
  }
  if (frozen.threads_.empty() || frozen.leader().tid() != pid) {
    return MakeError(ErrorCode::kProcessGone, "process {}: its leader has ended", pid);
  }
  return frozen;
}

// True when the listing had threads that were not frozen yet. Interrupts go to all before the first
// wait, so that the threads stop side by side.
Result<bool> FrozenProcess::SeizeNewThreads() {
  CKPT_TRY(const std::vector<pid_t> tids, ListThreads(pid_));
  const size_t known = threads_.size();
  for (const pid_t tid : tids) {
    if (std::ranges::find(threads_, tid, &Tracee::tid) != threads_.end()) continue;
    Result<Tracee> thread = Tracee::Seize(tid, 0);
    if (thread.has_error() && (HasEnded(thread.error()) || IsEnding(pid_, tid))) continue;
    CKPT_TRY(Tracee seized, std::move(thread));
    const Result<> interrupted = seized.Interrupt();
    if (interrupted.has_error() && HasEnded(interrupted.error())) continue;
    CKPT_TRY(interrupted);
    threads_.push_back(std::move(seized));
  }
  const bool found_new = threads_.size() > known;
  std::vector<Tracee> stopped;
  for (size_t i = 0; i < threads_.size(); ++i) {
    if (i >= known) {
      const Result<Stop> stop = WaitForInterrupt(threads_[i]);
      if (stop.has_error() && HasEnded(stop.error())) continue;
      CKPT_TRY(const Stop seen, stop);
      if (seen.kind == Stop::Kind::kGroup) stop_signal_ = seen.signal;
    }
    stopped.push_back(std::move(threads_[i]));
  }
  threads_.swap(stopped);
  return found_new;
}

Result<> FrozenProcess::Thaw() {
  for (Tracee& thread : threads_) {
    const Result<> detached = thread.Detach();
    if (detached.has_error() && !HasEnded(detached.error())) return detached;
  }
  threads_.clear();
  return success();
}

Result<> FrozenProcess::Kill() {
  if (kill(pid_, SIGKILL) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "kill({}, SIGKILL)", pid_);
  }
  // The leader last: it is not gone before its tracer has seen every other thread go.
  for (; !threads_.empty(); threads_.pop_back()) {
    while (threads_.back().WaitForStop().has_value()) {
    }
  }
  return success();
}

}  // namespace ckpt
