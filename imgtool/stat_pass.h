// The pass that takes size and mode from the file that a repaired path leads to.
#ifndef IMGTOOL_STAT_PASS_H_
#define IMGTOOL_STAT_PASS_H_

#include "base/result.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

struct FixupContext;

inline constexpr char kStatPass[] = "stat";

// reg_file_entry.size and .mode of every repaired file whose union can be read here, as far as the
// dump has them: restorers compare both. A file that is written and appended to (O_WRONLY and
// O_APPEND) has no size. A note for each union tells
// how many files were read, or why not.
// kNotFound: the union has no file of the new name; kUnsupported: it has one of another type.
Result<> ProposeStat(const FixupContext& context, EditPlan& plan);

}  // namespace ckpt

#endif  // IMGTOOL_STAT_PASS_H_
