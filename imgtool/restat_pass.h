// The passes of `imgtool rewrite` about what files and ids are on the machine to come.
#ifndef IMGTOOL_RESTAT_PASS_H_
#define IMGTOOL_RESTAT_PASS_H_

#include "base/result.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

struct RewriteContext;

// --restat: size and mode of regular files, and no size where restorers compare none; a build-id
// goes with a size that changes. Files that are not found keep theirs, which is noted.
// kUnsupported: a file that has become one of another type. kNotFound: none is found.
Result<> Restat(RewriteContext& context, EditPlan& plan);

// --uid-shift: every user and group id; in a dump with user namespaces what those map to instead.
// An id that means none stays. kUnsupported: an id that would be negative or over 32 bits.
Result<> ShiftIds(RewriteContext& context, EditPlan& plan);

}  // namespace ckpt

#endif  // IMGTOOL_RESTAT_PASS_H_
