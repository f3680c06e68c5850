// What a dump takes from one process of the tree, in the steps of dumper/dump.cc.
#ifndef DUMPER_TASK_DUMP_H_
#define DUMPER_TASK_DUMP_H_

#include <sys/types.h>

#include <optional>
#include <vector>

#include "base/result.h"
#include "dumper/file_table.h"
#include "dumper/mappings.h"
#include "dumper/refusals.h"
#include "dumper/snapshot.h"
#include "dumper/thread_facts.h"
#include "process/frozen_tree.h"
#include "process/kernel_features.h"
#include "process/maps.h"
#include "process/memory_snapshot.h"
#include "process/pagemap.h"
#include "process/posix_timers.h"
#include "process/remote_memory.h"
#include "process/remote_syscalls.h"
#include "process/task_stat.h"
#include "process/task_status.h"

namespace ckpt {

// Looks at what a TaskDump will look at in /proc, but for mappings, while the process still runs.
Result<> RehearseTask(pid_t pid, const KernelFeatures& features);

// Each call needs those before it; of a zombie only Identify() and Check() do anything. All are
// made by the thread that froze the tree.
class TaskDump {
 public:
  // `task` and `features` outlive it.
  TaskDump(FrozenTask& task, const KernelFeatures& features) : task_(task), features_(features) {}
  TaskDump(const TaskDump&) = delete;
  TaskDump& operator=(const TaskDump&) = delete;

  // Of the dumper's PID namespace.
  pid_t pid() const { return task_.pid; }
  bool IsZombie() const { return !task_.process.has_value(); }
  FrozenProcess& process() { return *task_.process; }
  const TaskStat& stat() const { return stat_; }
  // Of the threads, the leader's first.
  const std::vector<TaskStatus>& statuses() const { return statuses_; }
  const RemoteMemory& memory() const { return *memory_; }
  const std::vector<Mapping>& mappings() const { return mappings_; }
  const std::vector<MappedFile>& mapped_files() const { return mapped_files_; }

  // Who it is: its entry of the tree but for ppid, and a zombie's only core.
  Result<> Identify();
  Result<> Check(Refusals& refusals);
  // Its mappings, for FindPages() before smaps is read.
  Result<> ListMappings();
  // Mappings with their usage, read since the freeze.
  Result<> AddSmaps(std::vector<Mapping> smaps);
  // Where its pages are; after either of the two above.
  Result<> FindPages();
  // What can be seen from outside besides.
  Result<> Collect(FileTable& files, Refusals& refusals);

  // What only its threads can tell. RemoveEngine() follows InstallEngine(), whatever fails.
  Result<> InstallEngine();
  Result<> AskThreads();
  Result<> RemoveEngine();
  // Its memory as it is now, for when it runs again. kUnsupported where fork leaves out some of its
  // pages. Between InstallEngine() and RemoveEngine().
  Result<MemorySnapshot> TakeSnapshot();

  // Makes entries of what the threads told; the tree may run again.
  Result<> FillThreads();

  TaskSnapshot snapshot;

 private:
  Result<> RefuseGuardPages(Refusals& refusals);

  FrozenTask& task_;
  const KernelFeatures& features_;
  TaskStat stat_;
  std::vector<TaskStatus> statuses_;
  std::optional<RemoteMemory> memory_;
  std::vector<Mapping> mappings_;
  std::vector<MappedFile> mapped_files_;
  std::optional<PagemapReader> pagemap_;
  std::vector<PosixTimer> posix_timers_;
  std::optional<RemoteSyscalls> engine_;
  std::vector<ThreadFacts> threads_;
};

}  // namespace ckpt

#endif  // DUMPER_TASK_DUMP_H_
