// /proc/PID/status and /proc/PID/task/TID/status: ids, capabilities, signal sets.
#ifndef PROCESS_TASK_STATUS_H_
#define PROCESS_TASK_STATUS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ckpt {

struct IdSet {
  uint32_t real = 0;
  uint32_t effective = 0;
  uint32_t saved = 0;
  uint32_t filesystem = 0;
  bool operator==(const IdSet&) const = default;
};

// Ids are in the reader's user and PID namespaces. Signal sets have bit N-1 for signal N,
// capability sets bit N for capability N.
struct TaskStatus {
  std::string name;  // comm, raw bytes
  char state = 0;    // R S D Z T t X I
  pid_t tgid = 0;
  pid_t pid = 0;
  pid_t ppid = 0;
  pid_t tracer_pid = 0;  // 0: none
  uint32_t umask = 0;    // since 4.7; a zombie and a kernel thread have none
  IdSet uid;
  IdSet gid;
  std::vector<uint32_t> groups;
  // Ids in each PID namespace from the reader's to the task's own, which comes last.
  std::vector<pid_t> ns_tgid;
  std::vector<pid_t> ns_pid;
  std::vector<pid_t> ns_pgid;
  std::vector<pid_t> ns_sid;
  uint32_t threads = 0;
  uint64_t signal_pending = 0;  // SigPnd: of this thread
  uint64_t shared_pending = 0;  // ShdPnd: of the process
  uint64_t signal_blocked = 0;
  uint64_t signal_ignored = 0;
  uint64_t signal_caught = 0;
  uint64_t cap_inheritable = 0;
  uint64_t cap_permitted = 0;
  uint64_t cap_effective = 0;
  uint64_t cap_bounding = 0;
  uint64_t cap_ambient = 0;
  bool no_new_privs = false;
  uint32_t seccomp_mode = 0;     // 0 off, 1 strict, 2 filter
  uint32_t seccomp_filters = 0;  // since 5.9
};

// Lines that are not in the struct are passed over; State, Pid, Uid and Gid must be there.
// kBadFormat names the line.
Result<TaskStatus> ParseTaskStatus(std::string_view text);

Result<TaskStatus> ReadTaskStatus(pid_t pid);
// Of one thread: masks, credentials and capabilities can differ from those of the leader.
Result<TaskStatus> ReadTaskStatus(pid_t pid, pid_t tid);

}  // namespace ckpt

#endif  // PROCESS_TASK_STATUS_H_
