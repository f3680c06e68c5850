// Carries a plan out on a dump directory: edits are made, everything is staged beside its place,
// synced, and appears in one rename.
#ifndef IMGTOOL_REWRITE_DUMP_H_
#define IMGTOOL_REWRITE_DUMP_H_

#include <string>

#include "base/result.h"
#include "imgtool/edit_plan.h"
#include "imgtool/plan_report.h"

namespace ckpt {

// Writes the edited dump to `out`, where nothing may be yet (kUsage). `out` holds everything that
// the dump holds: edited images as new files with the owner and mode of the old ones; all else as
// hard links, or reflinks or copies where those cannot be, with owner, mode and times; directories
// likewise; symbolic links, adjusted where they are relative and lead out of the dump, as `parent`
// does. Anything else in a dump, a socket or device, is kUnsupported. After an error there is
// neither `out` nor anything else new.
Result<PlanOutcome> WriteNewDump(const EditPlan& plan, const std::string& dump,
                                 const std::string& out);

// The same over the dump itself: at any moment `dump` is the old one or the new one. An empty plan
// writes nothing. After an error the dump is as it was.
Result<PlanOutcome> ReplaceDump(const EditPlan& plan, const std::string& dump);

}  // namespace ckpt

#endif  // IMGTOOL_REWRITE_DUMP_H_
