// Who gets the signals of open files, in the numbers of the tree's PID namespace.
#ifndef DUMPER_FILE_OWNERS_H_
#define DUMPER_FILE_OWNERS_H_

#include <sys/types.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "dumper/refusals.h"
#include "formats/proto/files.pb.h"

namespace ckpt {

// By the dumper's numbers: those in images, of threads and of process groups of the tree.
struct TreeNumbers {
  std::unordered_map<pid_t, uint32_t> threads;
  std::unordered_map<pid_t, uint32_t> groups;
};

// fcntl(F_GETOWN_EX), which is asked by us, tells our number. An owner outside the tree keeps it
// where `own_pid_namespace` is false, and otherwise, having none there, goes to `refusals`.
void TranslateOwners(const TreeNumbers& numbers, bool own_pid_namespace,
                     std::vector<pb::file_entry>& entries, Refusals& refusals);

}  // namespace ckpt

#endif  // DUMPER_FILE_OWNERS_H_
