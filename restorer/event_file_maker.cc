#include "restorer/event_file_maker.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace ckpt {

namespace {

// linux/timerfd.h, with CONFIG_CHECKPOINT_RESTORE; the kernel's header clashes with the C
// library's.
constexpr unsigned long kTimerfdSetTicks = _IOW('T', 0, uint64_t);

constexpr long kNanosecondsPerSecond = 1'000'000'000;

// What the call returned as a descriptor.
Result<UniqueFd> Made(long fd, const FilePlan& file, std::string_view call) {
  const int saved = errno;
  if (fd < 0) return ErrnoError(saved, "{}: {}", file.place, call);
  return UniqueFd(static_cast<int>(fd));
}

// The initial value that eventfd(2) takes has 32 bits, the counter 64: it is written.
Result<UniqueFd> MakeEventfd(const FilePlan& file) {
  CKPT_TRY(UniqueFd fd, Made(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), file, "eventfd"));
  if (file.counter != 0 && write(fd.get(), &file.counter, sizeof(file.counter)) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "{}: eventfd: write of {}", file.place, file.counter);
  }
  return fd;
}

Result<UniqueFd> MakeSignalfd(const FilePlan& file) {
  return Made(syscall(SYS_signalfd4, -1, &file.signal_mask, sizeof(file.signal_mask), SFD_CLOEXEC),
              file, fmt::format("signalfd4(-1, {:#x})", file.signal_mask));
}

Result<UniqueFd> MakeTimerfd(const FilePlan& file) {
  return Made(timerfd_create(file.timer.clock_id, TFD_CLOEXEC), file,
              fmt::format("timerfd_create({})", file.timer.clock_id));
}

Result<UniqueFd> MakeEpoll(const FilePlan& file) {
  return Made(epoll_create1(EPOLL_CLOEXEC), file, "epoll_create1");
}

Result<UniqueFd> MakeOfKind(const FilePlan& file) {
  switch (file.kind) {
    case FilePlan::Kind::kEventfd:
      return MakeEventfd(file);
    case FilePlan::Kind::kSignalfd:
      return MakeSignalfd(file);
    case FilePlan::Kind::kTimerfd:
      return MakeTimerfd(file);
    case FilePlan::Kind::kEpoll:
      return MakeEpoll(file);
    default:
      return MakeError(ErrorCode::kInternal, "{}: tells of no events", file.place);
  }
}

// What the timer is armed with: the dump has the time that is left, also of an absolute timer.
Result<itimerspec> TimeOf(const FilePlan& file) {
  const TimerFilePlan& timer = file.timer;
  itimerspec time{};
  time.it_interval.tv_sec = static_cast<time_t>(timer.interval_seconds);
  time.it_interval.tv_nsec = static_cast<long>(timer.interval_nanoseconds);
  time.it_value.tv_sec = static_cast<time_t>(timer.value_seconds);
  time.it_value.tv_nsec = static_cast<long>(timer.value_nanoseconds);
  if (!timer.IsArmed() || (timer.settime_flags & TFD_TIMER_ABSTIME) == 0) return time;
  timespec now{};
  if (clock_gettime(timer.clock_id, &now) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "{}: clock_gettime({})", file.place, timer.clock_id);
  }
  time.it_value.tv_sec += now.tv_sec;
  time.it_value.tv_nsec += now.tv_nsec;
  if (time.it_value.tv_nsec >= kNanosecondsPerSecond) {
    time.it_value.tv_sec += 1;
    time.it_value.tv_nsec -= kNanosecondsPerSecond;
  }
  return time;
}

}  // namespace

Result<UniqueFd> MakeEventFile(const FilePlan& file) {
  CKPT_TRY(UniqueFd fd, MakeOfKind(file));
  if (fcntl(fd.get(), F_SETFL, file.flags) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "{}: fcntl(F_SETFL, {:#o})", file.place, file.flags);
  }
  return fd;
}

Result<> ArmTimerFile(int fd, const FilePlan& file) {
  const TimerFilePlan& timer = file.timer;
  CKPT_TRY(const itimerspec time, TimeOf(file));
  if (timerfd_settime(fd, timer.settime_flags, &time, nullptr) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "{}: timerfd_settime(flags {}, value {}.{:09} s, interval {}.{:09} s)",
                      file.place, timer.settime_flags, timer.value_seconds, timer.value_nanoseconds,
                      timer.interval_seconds, timer.interval_nanoseconds);
  }
  // Setting the time has set the count to 0.
  if (timer.ticks != 0 && ioctl(fd, kTimerfdSetTicks, &timer.ticks) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "{}: ioctl(TFD_IOC_SET_TICKS, {})", file.place, timer.ticks);
  }
  return success();
}

}  // namespace ckpt
