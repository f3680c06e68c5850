// The passes of `imgtool rewrite`: each proposes edits of one kind from what was asked for.
#ifndef IMGTOOL_REWRITE_PASS_H_
#define IMGTOOL_REWRITE_PASS_H_

#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "imgtool/edit_plan.h"
#include "imgtool/image_source.h"
#include "imgtool/rewrite_rules.h"
#include "imgtool/role_fields.h"

namespace ckpt {

// All of it is read before the first pass runs, and no pass looks at the edits of another: the plan
// does not depend on their order, nor on that of the options.
struct RewriteContext {
  const ImageSource& images;
  const std::vector<RoleField>& fields;
  RewriteRules& rules;  // maps note what they matched
};

// As a row of FixupPasses(), of another context.
struct RewritePass {
  std::string_view name;
  std::string_view doc;  // half a line
  Result<> (*propose)(RewriteContext& context, EditPlan& plan);
};

std::span<const RewritePass> RewritePasses();

// The plan of all passes. kNotFound where something was asked for that matches nothing in the dump,
// naming what comes close.
Result<EditPlan> PlanRewrite(const ImageSource& images, RewriteRules rules);

}  // namespace ckpt

#endif  // IMGTOOL_REWRITE_PASS_H_
