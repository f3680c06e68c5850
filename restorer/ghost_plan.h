// The plan of files that had no name left.
#ifndef RESTORER_GHOST_PLAN_H_
#define RESTORER_GHOST_PLAN_H_

#include "formats/proto/files.pb.h"
#include "restorer/dump_images.h"
#include "restorer/findings.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// Has `file`, which has its path, be the ghost that `remap` names, and plans that. Kinds of remap
// other than ghosts are findings.
void PlanGhost(const DumpImages& images, const pb::remap_file_path_entry& remap, FilePlan& file,
               RestorePlan& plan, Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_GHOST_PLAN_H_
