// A process on its way from a stub to what its plan says, and what the steps on that way share.
#ifndef RESTORER_RESTORED_TASK_H_
#define RESTORER_RESTORED_TASK_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "base/log.h"
#include "process/remote_memory.h"
#include "process/remote_syscalls.h"
#include "restorer/opened_files.h"
#include "restorer/remote_calls.h"
#include "restorer/restore_plan.h"
#include "restorer/running_vdso.h"
#include "restorer/stub_process.h"

namespace ckpt {

struct RestoredTask {
  const TaskPlan* plan = nullptr;
  const OpenedFiles* files = nullptr;  // once they are open
  Log* log = nullptr;
  bool is_rooted = false;         // "/" is not the restorer's root
  bool changes_root = false;      // the root is neither, or "/" with the above
  bool counts_timer_ids = false;  // as kernels before 6.16 make it necessary
  uint64_t descriptor_limit = 0;  // the restorer's soft limit, which the stub has higher
  StubProcess stub;
  std::unique_ptr<RemoteMemory> memory = {};  // the engine points to it
  std::optional<RemoteSyscalls> engine = {};  // until the last step takes it out
  std::vector<RemoteRange> occupied = {};  // what nothing new may be put on: the stub's, the plan's
  RunningVdso vdso = {};                   // of the running kernel, where it lies now
  std::optional<std::vector<std::byte>> patched_vdso =
      {};  // what the dumped vdso becomes, if it stays
  // Nobody for the root. The maker of a process need not be its parent.
  RestoredTask* parent = nullptr;
  // What the memory of the process holds by now: its own plan, or that of the maker of a process
  // that gets no memory of its own.
  const RestoredTask* memory_of = nullptr;
  pid_t group = 0;                  // the process group it is in by now; 0: that of the restorer
  bool shares_descriptors = false;  // with its maker

  // Calls by the leader, of which there will be about `count`: a batch has room for them all, if it
  // can, and not for many more, because all of that is written to the process.
  RemoteCalls Calls(size_t count = 0) {
    return RemoteCalls(*engine, stub.leader(),
                       std::clamp(count, RemoteCalls::kFewCalls, RemoteCalls::kManyCalls));
  }
};

}  // namespace ckpt

#endif  // RESTORER_RESTORED_TASK_H_
