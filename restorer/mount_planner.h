// Makes the plan of a mount namespace from a mountpoints image.
#ifndef RESTORER_MOUNT_PLANNER_H_
#define RESTORER_MOUNT_PLANNER_H_

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "formats/proto/mounts.pb.h"
#include "restorer/findings.h"
#include "restorer/mount_plan.h"

namespace ckpt {

// `image` is the name of the image with the entries, `contents` are the ids of the tmpfs-dev images
// beside it. Everything that cannot be made is a finding. Takes time proportional to the number of
// entries, but for sorting them.
MountTreePlan PlanMounts(const std::vector<pb::mnt_entry>& entries, std::string_view image,
                         const std::set<uint64_t>& contents, const ExternalMounts& externals,
                         Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_MOUNT_PLANNER_H_
