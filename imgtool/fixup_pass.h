// The passes of aufs-fixup: each proposes edits of one kind from what is known of the dump.
#ifndef IMGTOOL_FIXUP_PASS_H_
#define IMGTOOL_FIXUP_PASS_H_

#include <span>
#include <string_view>

#include "base/result.h"
#include "imgtool/edit_plan.h"
#include "imgtool/fixup_context.h"

namespace ckpt {

struct Pass {
  std::string_view name;
  std::string_view doc;  // half a line
  Result<> (*propose)(const FixupContext& context, EditPlan& plan);
};

// All passes, one row each.
std::span<const Pass> FixupPasses();

// The plan of all passes, with what FindPathRepairs noted in front, and behind it what a restorer
// would say of the mounts as they are then.
Result<EditPlan> PlanFixup(const FixupContext& context);

}  // namespace ckpt

#endif  // IMGTOOL_FIXUP_PASS_H_
