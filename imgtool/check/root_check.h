// Whether a root filesystem has the files of a dump, as the dump says they are: what restorers
// compare one by one, all of it at once.
#ifndef IMGTOOL_CHECK_ROOT_CHECK_H_
#define IMGTOOL_CHECK_ROOT_CHECK_H_

#include <span>
#include <vector>

#include "base/result.h"
#include "formats/check/check_dump.h"
#include "imgtool/check/root_files.h"

namespace ckpt {

// The rules of this comparison. They are run by CheckRoot() only.
std::span<const CheckRule> RootRules();

// Files, the directories of sockets, and what is watched by its path, that the dump reaches through
// the root of its mount namespace or another mount of the same file system; of other mounts there
// is a note each. Deleted files, which the dump has itself, are not looked for. In the order of the
// files.
Result<std::vector<CheckFinding>> CheckRoot(const CheckedDump& dump, const RootFiles& root);

}  // namespace ckpt

#endif  // IMGTOOL_CHECK_ROOT_CHECK_H_
