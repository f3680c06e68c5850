// What a process as a whole must be to be dumped.
#ifndef DUMPER_PRECONDITIONS_H_
#define DUMPER_PRECONDITIONS_H_

#include "base/result.h"
#include "dumper/refusals.h"
#include "process/frozen_process.h"
#include "process/task_stat.h"

namespace ckpt {

// Adds to `refusals`: other namespaces than the caller's, children, another session's member,
// seccomp. `stat` is that of the process since it was frozen.
Result<> CheckPreconditions(FrozenProcess& process, const TaskStat& stat, Refusals& refusals);

// kNotFound for a pid that is no process, kUnsupported for one that cannot be frozen at all (a
// zombie, a kernel thread, the caller).
Result<> CheckBeforeFreeze(pid_t pid);

}  // namespace ckpt

#endif  // DUMPER_PRECONDITIONS_H_
