// The passes of all commands that rewrite dumps: each proposes edits of one kind, from what is
// known of the dump and what was asked for.
#ifndef IMGTOOL_PASSES_H_
#define IMGTOOL_PASSES_H_

#include <span>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "imgtool/edit_plan.h"
#include "imgtool/fixup_context.h"
#include "imgtool/rewrite_context.h"

namespace ckpt {

// What a pass looks at tells whose it is: aufs-fixup's or that of `imgtool rewrite`.
using ProposeFixups = Result<> (*)(const FixupContext& context, EditPlan& plan);
using ProposeRewrites = Result<> (*)(RewriteContext& context, EditPlan& plan);

struct Pass {
  std::string_view name;  // one of its own among the passes of a command
  std::string_view doc;   // half a line
  std::variant<ProposeFixups, ProposeRewrites> propose;
};

// All passes, one row each. Their order means nothing: no pass looks at the edits of another.
std::span<const Pass> Passes();

// The plan of all passes of aufs-fixup, with what FindPathRepairs noted in front, and behind it
// what a restorer would say of the mounts as they are then.
Result<EditPlan> PlanFixup(const FixupContext& context);

// The plan of all passes of `imgtool rewrite`. kNotFound where something was asked for that matches
// nothing in the dump, naming what comes close.
Result<EditPlan> PlanRewrite(const ImageSource& images, RewriteRules rules);

}  // namespace ckpt

#endif  // IMGTOOL_PASSES_H_
