// /proc/PID/timers: the POSIX timers of a process (timer_create).
#ifndef PROCESS_POSIX_TIMERS_H_
#define PROCESS_POSIX_TIMERS_H_

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ckpt {

// What is left of the time, the interval and the overrun count are asked of the task itself
// (timer_gettime, timer_getoverrun).
struct PosixTimer {
  int32_t id = 0;
  int32_t signal = 0;
  uint64_t signal_value = 0;  // sigev_value, an address or a number of the task
  int32_t notify = 0;         // SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, with SIGEV_THREAD_ID
  pid_t notify_id = 0;        // of the process, or of the thread for SIGEV_THREAD_ID; in the
                              // PID namespace of the /proc that was read
  int32_t clock_id = 0;       // CLOCK_*; negative for CPU clocks of a process or thread

  bool operator==(const PosixTimer&) const = default;
};

// kBadFormat names the line.
Result<std::vector<PosixTimer>> ParsePosixTimers(std::string_view text);

Result<std::vector<PosixTimer>> ReadPosixTimers(pid_t pid);

}  // namespace ckpt

#endif  // PROCESS_POSIX_TIMERS_H_
