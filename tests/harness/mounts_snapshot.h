// The mounts of a process as text to compare: without the numbers that no restore brings back.
#ifndef TESTS_HARNESS_MOUNTS_SNAPSHOT_H_
#define TESTS_HARNESS_MOUNTS_SNAPSHOT_H_

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace ckpt {

// Of the text of a mountinfo file, one line per mount, by mountpoint (mounts on the same one by
// their order in the text). Mount ids, peer groups and the anonymous device numbers (major 0) are
// numbered by where they first come in that order.
Result<std::string> NormaliseMountinfo(std::string_view text);

Result<std::string> MountsSnapshotOf(pid_t pid);

}  // namespace ckpt

#endif  // TESTS_HARNESS_MOUNTS_SNAPSHOT_H_
