#include "restorer/mount_planner.h"

#include <sys/mount.h>

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "restorer/mount_order.h"
#include "restorer/mount_propagation.h"
#include "restorer/mount_source_plan.h"

namespace ckpt {

namespace {

// The flags of mount(2), as images hold them, and of mount_setattr(2).
struct MountFlag {
  uint64_t flag;
  uint64_t attribute;
};
constexpr std::array kMountFlags = {MountFlag{MS_RDONLY, MOUNT_ATTR_RDONLY},
                                    MountFlag{MS_NOSUID, MOUNT_ATTR_NOSUID},
                                    MountFlag{MS_NODEV, MOUNT_ATTR_NODEV},
                                    MountFlag{MS_NOEXEC, MOUNT_ATTR_NOEXEC},
                                    MountFlag{MS_NODIRATIME, MOUNT_ATTR_NODIRATIME},
                                    MountFlag{MS_NOATIME, MOUNT_ATTR_NOATIME},
                                    MountFlag{MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW}};

uint64_t AttributesOf(uint64_t flags) {
  uint64_t attributes = 0;
  for (const MountFlag& known : kMountFlags) {
    if ((flags & known.flag) != 0) attributes |= known.attribute;
  }
  if ((flags & (MS_NOATIME | MS_RELATIME)) == 0) attributes |= MOUNT_ATTR_STRICTATIME;
  return attributes;
}

// Finds what no mount can be made of, whatever its source is.
void CheckEntry(const OrderedMount& mount, Findings& findings) {
  const std::string& root = mount.entry->root();
  if (mount.entry->deleted() || root.ends_with("//deleted")) {
    findings.Unsupported("{}: shows {}, which had been deleted", mount.place, root);
  } else if (root.find("/..") != root.npos) {
    findings.Unsupported("{}: shows {}, which lies outside of a cgroup namespace", mount.place,
                         root);
  }
}

void AddMount(const OrderedMount& ordered, const std::string& parent_mountpoint,
              MountTreePlan& plan, Findings& findings) {
  const pb::mnt_entry& entry = *ordered.entry;
  const size_t index = plan.mounts.size();
  MountPlan mount{.place = ordered.place, .mnt_id = entry.mnt_id(), .parent = ordered.parent};
  mount.attributes = AttributesOf(entry.flags());
  plan.by_mnt_id.emplace(mount.mnt_id, index);
  if (index != 0) {
    if (auto below = PathBelow(entry.mountpoint(), parent_mountpoint)) {
      mount.mountpoint = std::move(*below);
    } else {
      findings.BadFormat("{}: is not below the mountpoint of its parent, {}", mount.place,
                         parent_mountpoint);
    }
    if (mount.parent == 0 && mount.mountpoint.empty()) {
      findings.Unsupported("{}: a mount on top of the root is not supported", mount.place);
    }
    if (!plan.children.try_emplace({mount.parent, mount.mountpoint}, index).second) {
      findings.BadFormat("{}: another mount is there on the same parent", mount.place);
    }
  }
  plan.mounts.push_back(std::move(mount));
}

}  // namespace

MountTreePlan PlanMounts(const std::vector<pb::mnt_entry>& entries, std::string_view image,
                         const std::set<uint64_t>& contents, const ExternalMounts& externals,
                         Findings& findings) {
  MountTreePlan plan;
  const std::vector<OrderedMount> order = OrderMounts(entries, image, findings);
  if (order.empty()) return plan;
  for (const OrderedMount& mount : order) {
    CheckEntry(mount, findings);
    AddMount(mount, order[mount.parent].entry->mountpoint(), plan, findings);
  }
  PlanSources(order, contents, externals, plan, findings);
  PlanPropagation(order, plan, findings);
  return plan;
}

}  // namespace ckpt
