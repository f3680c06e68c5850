// What each mount of a tree is a clone of.
#ifndef RESTORER_MOUNT_SOURCE_PLAN_H_
#define RESTORER_MOUNT_SOURCE_PLAN_H_

#include <cstdint>
#include <set>
#include <vector>

#include "restorer/findings.h"
#include "restorer/mount_order.h"
#include "restorer/mount_plan.h"

namespace ckpt {

// Adds sources to `plan` and sets source and path_in_source of its mounts, which are those of
// `order`. Mounts of one device are clones of the root mount or an external mount that has their
// directory, else of a new superblock. `contents` are the ids of tmpfs-dev images. What cannot be
// made is a finding.
void PlanSources(const std::vector<OrderedMount>& order, const std::set<uint64_t>& contents,
                 const ExternalMounts& externals, MountTreePlan& plan, Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_MOUNT_SOURCE_PLAN_H_
