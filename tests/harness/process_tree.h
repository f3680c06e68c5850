// A process and all that descend from it, as they run.
#ifndef TESTS_HARNESS_PROCESS_TREE_H_
#define TESTS_HARNESS_PROCESS_TREE_H_

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace ckpt {

// Parents before their children, zombies included. `procfs` shows the root as `root`.
Result<std::vector<pid_t>> ProcessTree(pid_t root, const std::string& procfs = "/proc");

// Of a tree whose root was killed and waited for: waits for the others, which come to the caller
// when their parents are gone, as to any init.
void ReapDescendants(std::span<const pid_t> tree);

}  // namespace ckpt

#endif  // TESTS_HARNESS_PROCESS_TREE_H_
