// What the passes of `imgtool rewrite` look at.
#ifndef IMGTOOL_REWRITE_CONTEXT_H_
#define IMGTOOL_REWRITE_CONTEXT_H_

#include <vector>

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

}  // namespace ckpt

#endif  // IMGTOOL_REWRITE_CONTEXT_H_
