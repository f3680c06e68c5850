// The pass of `imgtool rewrite` that takes out of a dump what is nobody's business, so that it can
// be attached to a bug report.
#ifndef IMGTOOL_ANONYMISE_PASS_H_
#define IMGTOOL_ANONYMISE_PASS_H_

#include "base/result.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

struct RewriteContext;

// --anonymise: every component of a path and every name becomes one that says nothing, the same
// everywhere ("x17"); pages become zeros; so do contents of pipes, sockets, ghosts and shared
// memory; options of mounts go, and the content of every file that has no entries. Registers,
// addresses, ids, sizes, times and the names "dev", "proc" and "sys" stay.
Result<> Anonymise(RewriteContext& context, EditPlan& plan);

}  // namespace ckpt

#endif  // IMGTOOL_ANONYMISE_PASS_H_
