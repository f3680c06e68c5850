// What the kernel shows of a process from outside, to compare before and after.
#ifndef TESTS_HARNESS_SNAPSHOT_H_
#define TESTS_HARNESS_SNAPSHOT_H_

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/result.h"

namespace ckpt {

// One line per fact: mappings (ranges, permissions, names; neighbours that are alike as one),
// descriptors (target, flags), links, limits, POSIX timers, and of each thread its name, masks,
// pending signals, credentials. Without what changes as the process runs or is brought back by
// path: positions, inode numbers, times, memory use.
// `proc` is an instance of procfs that shows the process as `pid`.
Result<std::string> SnapshotOf(pid_t pid, const std::string& proc = "/proc");

// The same of a process and all that descend from it, with their parents, groups and sessions; of
// zombies how they ended. In the order of their pids as the /proc that they have mounted shows them
// (the caller's where it has none).
Result<std::string> TreeSnapshotOf(pid_t pid);

// A task that is to be stopped can be on its way to that when CRIU is done with its restore: what
// `look` saw last, once it is as `before`, or does not become so.
Result<std::string> SnapshotOnceStopped(const std::string& before,
                                        const std::function<Result<std::string>()>& look);

// The snapshot as it is to be where something has been replaced on purpose.
std::string Replaced(std::string snapshot, const std::string& old_words,
                     const std::string& new_words);

}  // namespace ckpt

#endif  // TESTS_HARNESS_SNAPSHOT_H_
