// The pass that makes ghost files: of files that the union does not show any more, from the
// content that their branch still has.
#ifndef IMGTOOL_GHOST_PASS_H_
#define IMGTOOL_GHOST_PASS_H_

#include "base/result.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

struct FixupContext;

inline constexpr char kGhostPass[] = "ghosts";

// For each file that is to be a ghost an entry of remap-fpath.img, and for each different branch
// file, and each union that shared it, a ghost-file-N.img with a number that the dump does not use:
// owner, mode and times of the branch file, device and inode as /proc/PID/maps recorded them for
// the union, else its own. Where mounts were dumped it gets the device of that on which its name
// lies, which watches have, too. kUnsupported: it is no regular file.
Result<> ProposeGhosts(const FixupContext& context, EditPlan& plan);

}  // namespace ckpt

#endif  // IMGTOOL_GHOST_PASS_H_
