// The processes and threads of a dump, whichever of their images are there.
#ifndef IMGTOOL_EXPLORE_DUMPED_TASKS_H_
#define IMGTOOL_EXPLORE_DUMPED_TASKS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "formats/proto/security.pb.h"
#include "formats/proto/task.pb.h"
#include "imgtool/explore/dump_reader.h"

namespace ckpt {

struct DumpedTask {
  uint32_t pid() const { return place.pid(); }

  pb::pstree_entry place;
  size_t depth = 0;                            // below the root of its tree
  std::optional<pb::core_entry> core;          // of the leader
  std::optional<pb::task_kobj_ids_entry> ids;  // of its image, or of old the core's
};

// In the order of the tree: parents before their children, these by pid. Processes whose parents
// lead in a circle come last. kNotFound without a pstree image.
Result<std::vector<DumpedTask>> ReadTasks(DumpReader& reader);

// Without the images of the processes: their places in the tree alone.
std::vector<DumpedTask> OrderTasks(std::vector<pb::pstree_entry> places);

enum class TaskState { kAlive, kDead, kStopped, kOther, kUnknown };

// kUnknown: the dump has no core image of it. The numbers are CRIU's: 1 alive, 2 dead, 3 stopped,
// and of newer versions 6 for a zombie.
TaskState StateOf(const DumpedTask& task);
// "alive", "zombie", "stopped", "state 4", "no core image".
std::string StateText(const DumpedTask& task);

// How a process ended, of a wait status: "exited 42", "killed by TERM", "killed by SEGV, core
// dumped".
std::string ExitText(uint32_t wait_status);

// "TERM", "RTMIN+3", "signal 99".
std::string SignalText(uint64_t number);

// Of a process the name of its leader, empty without a core image.
std::string CommOf(const DumpedTask& task);
// Nothing where the images are missing.
std::optional<pb::creds_entry> ReadCredentials(DumpReader& reader, const DumpedTask& task);

// The number of its fdinfo image.
uint32_t FilesIdOf(const DumpedTask& task);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_DUMPED_TASKS_H_
