// The passes of `imgtool rewrite` that put one name in the place of another.
#ifndef IMGTOOL_RENAME_PASSES_H_
#define IMGTOOL_RENAME_PASSES_H_

#include "base/result.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

struct RewriteContext;

// --path: files, working and root directories, sockets, watches, mountpoints, wherever a dump has
// the path of a task. Abstract names of sockets and CRIU's own keys are none.
Result<> RenamePaths(RewriteContext& context, EditPlan& plan);
// --mount: sources of mounts, in config.dump and spec.dump too.
Result<> RenameMounts(RewriteContext& context, EditPlan& plan);
// --ext-mount-map. kUnsupported for a mount that is external in the way of old dumps.
Result<> NameExternalMounts(RewriteContext& context, EditPlan& plan);
// --hostname.
Result<> RenameHost(RewriteContext& context, EditPlan& plan);

}  // namespace ckpt

#endif  // IMGTOOL_RENAME_PASSES_H_
