// What a process as a whole must be to be dumped.
#ifndef DUMPER_PRECONDITIONS_H_
#define DUMPER_PRECONDITIONS_H_

#include <sys/types.h>

#include <vector>

#include "base/result.h"
#include "dumper/refusals.h"
#include "process/task_status.h"

namespace ckpt {

// Adds seccomp to `refusals`. `statuses` are those of the threads since the process was frozen.
void CheckPreconditions(const std::vector<TaskStatus>& statuses, Refusals& refusals);

// kNotFound for a pid that is no process, kUnsupported for one that cannot be frozen at all (a
// zombie, a kernel thread, the caller).
Result<> CheckBeforeFreeze(pid_t pid);

}  // namespace ckpt

#endif  // DUMPER_PRECONDITIONS_H_
