// How mounts that begin as private ones become peers and slaves of each other.
#ifndef RESTORER_MOUNT_PROPAGATION_H_
#define RESTORER_MOUNT_PROPAGATION_H_

#include <vector>

#include "restorer/findings.h"
#include "restorer/mount_order.h"
#include "restorer/mount_plan.h"

namespace ckpt {

// Sets propagation of `plan`, and follows_outside of its mounts, which are those of `order` and
// have their sources. A group of peers is made of the member that has the directories of all
// others; a group without one is a finding. A mount that followed a group that is not in the tree
// follows what its source does, where that is from outside; otherwise it becomes one that follows
// none.
void PlanPropagation(const std::vector<OrderedMount>& order, MountTreePlan& plan,
                     Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_MOUNT_PROPAGATION_H_
