// The last step before a dump is committed whose files were staged one by one rather than by a
// plan: it is checked where it stands.
#ifndef IMGTOOL_CHECK_STAGED_CHECK_H_
#define IMGTOOL_CHECK_STAGED_CHECK_H_

#include <string>

#include "base/result.h"
#include "imgtool/dump_changes.h"

namespace ckpt {

// Checks the directory `staged`, which is to be what `changes` make of the directory `dump`, by all
// rules that files of `changes` can concern. kUnsupported, with the findings: errors in an image
// by a rule by which the dump has none in that image.
Result<> CheckStaged(const std::string& dump, const std::string& staged,
                     const DumpChanges& changes);

}  // namespace ckpt

#endif  // IMGTOOL_CHECK_STAGED_CHECK_H_
