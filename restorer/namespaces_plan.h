// The plan of the namespaces that the processes of a dump have to themselves.
#ifndef RESTORER_NAMESPACES_PLAN_H_
#define RESTORER_NAMESPACES_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "restorer/findings.h"
#include "restorer/mount_plan.h"
#include "restorer/namespace_images.h"
#include "restorer/namespace_sysctls.h"

namespace ckpt {

struct NodeNamesPlan {
  std::string host;
  std::string domain;
};

struct NamespacesPlan {
  uint64_t clone_flags = 0;  // CLONE_NEW* of those that the first process makes
  std::optional<NodeNamesPlan> names;
  bool loopback_is_up = false;
  std::vector<std::string> addresses;  // see net_addresses.h
  std::vector<SysctlPlan> sysctls;     // in the order in which they are set
  std::optional<MountTreePlan> mounts;
};

// The namespaces of one process: ids-PID.img.
struct TaskNamespaces {
  uint32_t pid = 0;
  const pb::task_kobj_ids_entry* ids = nullptr;
};

// Namespaces are own where their id is not the one that the dumper had, in `root_ids` of
// inventory.img. All of `tasks` must be in the namespaces of the first, whose images are `images`.
// `root` is the directory for the root of an own mount namespace: that it is empty is a finding.
NamespacesPlan PlanNamespaces(const std::vector<TaskNamespaces>& tasks,
                              const pb::task_kobj_ids_entry& root_ids,
                              const NamespaceImages& images, const std::string& root,
                              const ExternalMounts& externals, Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_NAMESPACES_PLAN_H_
