#include "restorer/task_timers.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <csignal>

namespace ckpt {

namespace {

// linux/prctl.h, Linux 6.16.
constexpr int kPrTimerCreateRestoreIds = 77;
constexpr int kRestoreIdsOff = 0;
constexpr int kRestoreIdsOn = 1;

// Ids that are skipped one by one, where the kernel cannot be told; 100,000 take about 0.1 s.
constexpr int32_t kMostSkippedIds = 1'000'000;

// struct sigevent as the kernel takes it on x86-64.
struct KernelSigevent {
  uint64_t value;
  int32_t signal;
  int32_t notify;
  int32_t thread;
  int32_t padding[11];
};
static_assert(sizeof(KernelSigevent) == 64);

KernelSigevent EventOf(const PosixTimerPlan& timer) {
  return {.value = timer.value,
          .signal = timer.signal,
          .notify = timer.notify,
          .thread = timer.notify_thread,
          .padding = {}};
}

// Adds the creation of a timer; where its id will be.
Result<RemotePtr> AddCreation(const PosixTimerPlan& timer, RemoteCalls& calls) {
  CKPT_TRY(calls.MakeRoom(1, sizeof(KernelSigevent) + 32));
  const RemotePtr event = calls.PutObject(EventOf(timer));
  const RemotePtr id = calls.PutObject(timer.id);
  calls.Add(fmt::format("timer_create of timer {} on clock {}", timer.id, timer.clock_id),
            SYS_timer_create, {timer.clock_id, event, id});
  return id;
}

// Makes the timer; the id that it got.
Result<int32_t> Create(RestoredTask& task, const PosixTimerPlan& timer) {
  RemoteCalls calls = task.Calls();
  CKPT_TRY(const RemotePtr id, AddCreation(timer, calls));
  CKPT_TRY(calls.Flush());
  return task.memory->ReadObject<int32_t>(id);
}

Result<bool> AskForIds(RestoredTask& task, int on) {
  CKPT_TRY(const int64_t result, task.engine->Call(task.stub.leader(), SYS_prctl,
                                                   {kPrTimerCreateRestoreIds, on, 0, 0, 0}));
  return result == 0;
}

// Has the kernel give out the ids from `next` up to `wanted`, not included, and take them back.
Result<> SkipIds(RestoredTask& task, const PosixTimerPlan& wanted, int32_t next) {
  RemoteCalls calls = task.Calls(RemoteCalls::kManyCalls);
  for (int32_t id = next; id < wanted.id; ++id) {
    CKPT_TRY(AddCreation(wanted, calls));
    CKPT_TRY(calls.Call(fmt::format("timer_delete({})", id), SYS_timer_delete, {id}));
  }
  return calls.Flush();
}

Result<> CreateCounting(RestoredTask& task, const PosixTimerPlan& timer) {
  CKPT_TRY(const int32_t first, Create(task, timer));
  if (first == timer.id) return success();
  if (timer.id < first || timer.id - first > kMostSkippedIds) {
    return MakeError(ErrorCode::kUnsupported,
                     "timer {}: this kernel cannot be told the id, and gives {} next", timer.id,
                     first);
  }
  RemoteCalls calls = task.Calls();
  CKPT_TRY(calls.Call(fmt::format("timer_delete({})", first), SYS_timer_delete, {first}));
  CKPT_TRY(calls.Flush());
  CKPT_TRY(SkipIds(task, timer, first + 1));
  CKPT_TRY(const int32_t id, Create(task, timer));
  if (id == timer.id) return success();
  return MakeError(ErrorCode::kSystem, "timer {}: the kernel gave it the id {}", timer.id, id);
}

Result<> CreateAsked(RestoredTask& task) {
  RemoteCalls calls = task.Calls();
  for (const PosixTimerPlan& timer : task.plan->posix_timers) CKPT_TRY(AddCreation(timer, calls));
  return calls.Flush();
}

Result<> AddIntervalTimer(int which, const IntervalTimerPlan& timer, RemoteCalls& calls) {
  if (!timer.IsArmed()) return success();
  itimerval value{};
  value.it_interval.tv_sec = static_cast<time_t>(timer.interval_seconds);
  value.it_interval.tv_usec = static_cast<suseconds_t>(timer.interval_microseconds);
  value.it_value.tv_sec = static_cast<time_t>(timer.value_seconds);
  value.it_value.tv_usec = static_cast<suseconds_t>(timer.value_microseconds);
  CKPT_TRY(calls.MakeRoom(1, sizeof(value)));
  const RemotePtr pointer = calls.PutObject(value);
  calls.Add(fmt::format("setitimer({})", which), SYS_setitimer, {which, pointer, 0});
  return success();
}

Result<> AddPosixTimer(const PosixTimerPlan& timer, RemoteCalls& calls) {
  if (!timer.IsArmed()) return success();
  itimerspec value{};
  value.it_interval.tv_sec = static_cast<time_t>(timer.interval_seconds);
  value.it_interval.tv_nsec = static_cast<long>(timer.interval_nanoseconds);
  value.it_value.tv_sec = static_cast<time_t>(timer.value_seconds);
  value.it_value.tv_nsec = static_cast<long>(timer.value_nanoseconds);
  CKPT_TRY(calls.MakeRoom(1, sizeof(value)));
  const RemotePtr pointer = calls.PutObject(value);
  calls.Add(fmt::format("timer_settime({})", timer.id), SYS_timer_settime,
            {timer.id, 0, pointer, 0});
  return success();
}

}  // namespace

Result<> CreateTimers(RestoredTask& task) {
  if (task.plan->posix_timers.empty()) return success();
  CKPT_TRY(const bool obeys,
           AskForIds(task, task.counts_timer_ids ? kRestoreIdsOff : kRestoreIdsOn));
  if (obeys && !task.counts_timer_ids) {
    CKPT_TRY(CreateAsked(task));
    CKPT_TRY(AskForIds(task, kRestoreIdsOff));
    return success();
  }
  for (const PosixTimerPlan& timer : task.plan->posix_timers) {
    CKPT_TRY(CreateCounting(task, timer));
  }
  return success();
}

Result<> ArmTimers(RestoredTask& task) {
  RemoteCalls calls = task.Calls();
  for (size_t i = 0; i < task.plan->interval_timers.size(); ++i) {
    CKPT_TRY(AddIntervalTimer(static_cast<int>(i), task.plan->interval_timers[i], calls));
  }
  for (const PosixTimerPlan& timer : task.plan->posix_timers) {
    CKPT_TRY(AddPosixTimer(timer, calls));
  }
  return calls.Flush();
}

}  // namespace ckpt
