// What /proc/PID/fdinfo says of eventfd, signalfd, timerfd and epoll files (proc_pid_fdinfo(5)),
// from FdInfo::details. Errors are kBadFormat with the line, or with what is missing.
#ifndef PROCESS_EVENT_FDINFO_H_
#define PROCESS_EVENT_FDINFO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace ckpt {

struct EventfdState {
  uint64_t count = 0;
  bool is_semaphore = false;  // told since Linux 6.5
};
Result<EventfdState> ParseEventfd(const std::vector<std::string>& details);

// The signals it takes: bit n is signal n + 1.
Result<uint64_t> ParseSignalfdMask(const std::vector<std::string>& details);

struct TimerfdTime {
  uint64_t seconds = 0;
  uint64_t nanoseconds = 0;
};

struct TimerfdState {
  int32_t clock_id = 0;
  uint64_t ticks = 0;          // expirations that nobody has read
  uint32_t settime_flags = 0;  // TFD_TIMER_*
  TimerfdTime value;           // until the next expiration; zero: not armed
  TimerfdTime interval;
};
Result<TimerfdState> ParseTimerfd(const std::vector<std::string>& details);

// A file that an epoll watches.
struct EpollWatch {
  int32_t fd = 0;  // the number that it had when it was added
  uint32_t events = 0;
  uint64_t data = 0;
  // Of the file; since Linux 4.13.
  uint64_t position_bytes = 0;
  uint64_t inode = 0;
  uint32_t device = 0;  // as the kernel has it: major << 20 | minor
};
// By number; those with one number in the order of the text, which is the kernel's (by address).
Result<std::vector<EpollWatch>> ParseEpollWatches(const std::vector<std::string>& details);

}  // namespace ckpt

#endif  // PROCESS_EVENT_FDINFO_H_
