// The threads and the children of a process.
#ifndef PROCESS_TASK_LIST_H_
#define PROCESS_TASK_LIST_H_

#include <sys/types.h>

#include <string_view>
#include <vector>

#include "base/result.h"

namespace ckpt {

// The thread ids of a process, ascending, its own pid included. Not a snapshot: a running process
// can start threads meanwhile, so stop what was found and list again until nothing is new.
Result<std::vector<pid_t>> ListThreads(pid_t pid);

// The text of /proc/PID/task/TID/children: pids separated by spaces.
Result<std::vector<pid_t>> ParseChildren(std::string_view text);

// The children that the threads of a process started, ascending, zombies included. The file needs
// CONFIG_PROC_CHILDREN (kNotFound without it) and misses children only while they come and go.
Result<std::vector<pid_t>> ListChildren(pid_t pid);

}  // namespace ckpt

#endif  // PROCESS_TASK_LIST_H_
