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
// memory, and vector registers, which hold pieces of it; IP addresses become 10.0.0.1 and so on;
// options of mounts go, and the content of every file that has no entries, as those of network
// namespaces. General registers, addresses of memory and of hardware, ids, ports, sizes, times and
// the names "dev", "proc" and "sys" stay, which a note says. So do directories and what links lead
// to, which have a note each.
Result<> Anonymise(RewriteContext& context, EditPlan& plan);

}  // namespace ckpt

#endif  // IMGTOOL_ANONYMISE_PASS_H_
