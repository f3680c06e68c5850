// The passes that write repaired names: where files are, and where ckpt-dump recorded them.
#ifndef IMGTOOL_PATH_PASS_H_
#define IMGTOOL_PATH_PASS_H_

#include "base/result.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

struct FixupContext;

inline constexpr char kPathPass[] = "paths";
inline constexpr char kRawFactsPass[] = "raw-facts";

// reg_file_entry.name of every repaired file.
Result<> ProposePaths(const FixupContext& context, EditPlan& plan);

// raw_mapping of every repaired file: both paths become the new name, the mount that of the file,
// so that a second run finds no fact against the names.
Result<> ProposeRawFacts(const FixupContext& context, EditPlan& plan);

}  // namespace ckpt

#endif  // IMGTOOL_PATH_PASS_H_
