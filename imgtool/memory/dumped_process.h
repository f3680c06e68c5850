// One process of a dump: its place in the tree, its mappings, its threads.
#ifndef IMGTOOL_MEMORY_DUMPED_PROCESS_H_
#define IMGTOOL_MEMORY_DUMPED_PROCESS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/dump_directory.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/task.pb.h"

namespace ckpt {

struct DumpedProcess {
  pb::pstree_entry tree;
  pb::core_entry core;  // of the leader
  // Its mappings ascend, are whole pages and do not overlap. Those of dumps that keep them in an
  // image of their own (vmas-PID.img) are put in here. Heap and stack have their status.
  pb::mm_entry mm;
};

// A pid as the command line gives it. kUsage where `text` is not a number of 1 to 2^31 - 1.
Result<uint32_t> ParsePid(std::string_view text);

// kNotFound: the dump has no process `pid`, the number is that of a thread, or the process is a
// zombie, which has no memory. kBadFormat: mappings that no address space can have.
Result<DumpedProcess> ReadDumpedProcess(const DumpDirectory& dump, uint32_t pid);

// A thread and its image.
struct DumpedThread {
  uint32_t tid = 0;
  pb::core_entry core;
};

// All threads, the leader first.
Result<std::vector<DumpedThread>> ReadThreads(const DumpDirectory& dump,
                                              const DumpedProcess& process);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_DUMPED_PROCESS_H_
