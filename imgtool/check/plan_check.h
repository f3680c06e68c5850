// The last step before a rewrite is committed: what it would make of the dump is checked.
#ifndef IMGTOOL_CHECK_PLAN_CHECK_H_
#define IMGTOOL_CHECK_PLAN_CHECK_H_

#include <vector>

#include "base/result.h"
#include "formats/check/check_dump.h"
#include "imgtool/dump_changes.h"
#include "imgtool/edit_plan.h"
#include "imgtool/image_source.h"

namespace ckpt {

// What the plan touches, for CheckChange().
CheckedChange ChangeOf(const EditPlan& plan);

// Those findings of the changed dump that the dump did not have before, whatever they say: what was
// wrong may be wrong in another way. Images in `before` have their old names. Without notes.
std::vector<const CheckFinding*> NewFindings(const std::vector<CheckFinding>& before,
                                             const std::vector<CheckFinding>& after,
                                             const DumpChanges& changes);

// kUnsupported, with what the errors say.
Error RefuseToWrite(const std::vector<const CheckFinding*>& errors);

// Checks the dump as `changes`, which are those of the plan, leave it, by all rules that the plan
// can concern. kUnsupported, with the findings: there are errors that the dump did not have before.
// Else notes: findings that it did have, in one, and each warning that it did not.
Result<std::vector<PlanNote>> CheckPlan(const ImageSource& images, const EditPlan& plan,
                                        const DumpChanges& changes);

}  // namespace ckpt

#endif  // IMGTOOL_CHECK_PLAN_CHECK_H_
