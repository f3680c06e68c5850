// What the threads of a process have in common: tc of the leader's core image, mm, fs, pstree.
#ifndef DUMPER_PROCESS_STATE_H_
#define DUMPER_PROCESS_STATE_H_

#include <sys/types.h>

#include <vector>

#include "base/result.h"
#include "dumper/file_table.h"
#include "dumper/refusals.h"
#include "dumper/thread_facts.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/task.pb.h"
#include "process/frozen_process.h"
#include "process/posix_timers.h"
#include "process/remote_syscalls.h"
#include "process/task_stat.h"
#include "process/task_status.h"

namespace ckpt {

// Reads what CollectProcess() will read in /proc, while the process still runs.
Result<> RehearseProcess(pid_t pid, const TaskStat& stat);

// RemoteSyscalls::Options::batch_bytes that CollectProcess needs.
size_t ProcessBatchBytes(size_t posix_timer_count);

// Fills `tc` but for the leader's signal mask, `mm` but for its mappings and exe_file_id, and what
// only the leader knows of itself. `stat` is that of the process since it was frozen.
Result<> CollectProcess(FrozenProcess& process, const TaskStat& stat, const RemoteSyscalls& engine,
                        const std::vector<PosixTimer>& posix_timers, ThreadFacts* leader,
                        pb::task_core_entry* tc, pb::mm_entry* mm);

// exe, working and root directory; not the umask. `pid` is frozen.
Result<> CollectDirectories(pid_t pid, FileTable& files, Refusals& refusals, pb::mm_entry* mm,
                            pb::fs_entry* fs);

// `statuses` are those of the threads, the leader's first. ppid is 0: that of a root.
pb::pstree_entry BuildTreeEntry(const std::vector<TaskStatus>& statuses);

// What there is to say of a zombie: how it ended.
pb::core_entry BuildZombieCore(const TaskStat& stat);

}  // namespace ckpt

#endif  // DUMPER_PROCESS_STATE_H_
