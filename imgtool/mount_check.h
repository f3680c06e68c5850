// Whether a restorer would take the mounts of a dump, with the edits of a plan made.
#ifndef IMGTOOL_MOUNT_CHECK_H_
#define IMGTOOL_MOUNT_CHECK_H_

#include <vector>

#include "imgtool/dump_facts.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

// The mounts as the plan's edits leave them.
std::vector<DumpedMount> EditedMounts(const std::vector<DumpedMount>& mounts, const EditPlan& plan);

// What a restorer would refuse in one namespace, or needs to be told: as CRIU's validate_mounts and
// its reading of the tree do. One root, parents that are there and whose mountpoints lie above, no
// circle, one kind of key only.
std::vector<PlanNote> CheckMountTree(const std::vector<DumpedMount>& mounts);

// The same for all namespaces that a restorer makes again, and for each mount that it cannot make a
// key.
std::vector<PlanNote> CheckMountsOfPlan(const DumpFacts& facts, const EditPlan& plan);

}  // namespace ckpt

#endif  // IMGTOOL_MOUNT_CHECK_H_
