// /proc/PID/stat and /proc/PID/task/TID/stat: one line of 52 fields.
#ifndef PROCESS_TASK_STAT_H_
#define PROCESS_TASK_STAT_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ckpt {

// Names and order of proc(5). Times are in clock ticks (sysconf(_SC_CLK_TCK)); addresses are 0 when
// the reader may not ptrace the task. The signal masks (fields 31-34) are left out: they are
// obsolete and do not hold real-time signals; see task_status.h.
struct TaskStat {
  pid_t pid = 0;     // in the PID namespace of the /proc that was read, as all ids here
  std::string comm;  // raw bytes, at most 15 (63 for kernel threads); may hold spaces and brackets
  char state = 0;    // R S D Z T t X I
  pid_t ppid = 0;
  pid_t pgrp = 0;
  pid_t session = 0;
  int32_t tty_nr = 0;
  int32_t tpgid = 0;
  uint32_t flags = 0;  // PF_*
  uint64_t minflt = 0;
  uint64_t cminflt = 0;
  uint64_t majflt = 0;
  uint64_t cmajflt = 0;
  uint64_t utime_ticks = 0;
  uint64_t stime_ticks = 0;
  int64_t cutime_ticks = 0;
  int64_t cstime_ticks = 0;
  int64_t priority = 0;
  int64_t nice = 0;
  int64_t num_threads = 0;
  uint64_t start_time_ticks = 0;  // since boot, in the reader's time namespace
  uint64_t vsize_bytes = 0;
  int64_t rss_pages = 0;
  uint64_t rss_limit_bytes = 0;
  uint64_t start_code = 0;
  uint64_t end_code = 0;
  uint64_t start_stack = 0;
  uint64_t kstkesp = 0;
  uint64_t kstkeip = 0;
  uint64_t wchan = 0;
  int32_t exit_signal = 0;
  int32_t processor = 0;
  uint32_t rt_priority = 0;
  uint32_t policy = 0;  // SCHED_*
  uint64_t delayacct_blkio_ticks = 0;
  uint64_t guest_time_ticks = 0;
  int64_t cguest_time_ticks = 0;
  uint64_t start_data = 0;
  uint64_t end_data = 0;
  uint64_t start_brk = 0;  // where brk starts; its end is in no field: sbrk(0) in the task
  uint64_t arg_start = 0;
  uint64_t arg_end = 0;
  uint64_t env_start = 0;
  uint64_t env_end = 0;
  int32_t exit_code = 0;  // as waitpid(2) gives it
};

// kBadFormat names the first field that is missing or no number.
Result<TaskStat> ParseTaskStat(std::string_view text);

// Of the thread group leader, with the times of the whole group.
Result<TaskStat> ReadTaskStat(pid_t pid);
// Of one thread.
Result<TaskStat> ReadTaskStat(pid_t pid, pid_t tid);

}  // namespace ckpt

#endif  // PROCESS_TASK_STAT_H_
