// The last step before a plan is carried out: what follows from its edits is added, and what no
// restorer could read is refused.
#ifndef IMGTOOL_FINALIZE_PLAN_H_
#define IMGTOOL_FINALIZE_PLAN_H_

#include "base/result.h"
#include "imgtool/edit_plan.h"
#include "imgtool/image_source.h"

namespace ckpt {

inline constexpr char kFinalizePass[] = "finalize";

// Adds the renames of images that are named by the device of a mount whose device is edited
// (tmpfs-dev-N, autofs-N, binfmt-misc-N), and the new sources of mounts, where they are paths, in
// config.dump and spec.dump of an archive, unless the plan has those already. kUnsupported, naming
// image, entry, field, pass, what was found and what is allowed: a path over 4095 bytes or with a
// zero byte, one that has to start with a slash and does not, a socket's name over 108 bytes; one
// device that becomes two; new entries whose ids are taken or refer to nothing.
Result<> FinalizePlan(const ImageSource& images, EditPlan& plan);

}  // namespace ckpt

#endif  // IMGTOOL_FINALIZE_PLAN_H_
