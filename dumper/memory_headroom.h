// How much memory a process may still take before something is in its way.
#ifndef DUMPER_MEMORY_HEADROOM_H_
#define DUMPER_MEMORY_HEADROOM_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "process/mountinfo.h"

namespace ckpt {

// In bytes: what the machine has, or what is left below a limit of its cgroups, if that is less.
// `mounts` are those of the caller, where cgroups are looked for. 0 where nothing can be found out.
uint64_t MemoryHeadroom(pid_t pid, const std::vector<Mount>& mounts);

// MemAvailable (proc(5)). 0 where memory is promised only once (vm.overcommit_memory 2): what a
// process might take is taken from all others at once then. `proc` is where procfs is mounted.
uint64_t MachineHeadroom(const std::string& proc);

// Of the group `path`, absolute in the hierarchy that is mounted at `hierarchy`, and the groups
// above it: memory.max and memory.high, or memory.limit_in_bytes of version 1, less what is in use
// and is not an inactive part of the page cache. UINT64_MAX: there is no limit. 0 where the kernel
// kills all of a group when it kills one (memory.oom.group): then no process is there to be killed
// first. Source: the kernel's admin-guide, cgroup-v2.rst and cgroup-v1/memory.rst.
uint64_t CgroupHeadroom(const std::string& hierarchy, const std::string& path, bool is_version_2);

}  // namespace ckpt

#endif  // DUMPER_MEMORY_HEADROOM_H_
