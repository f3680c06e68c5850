// The sysctls of ipc and network namespaces, by the names that they have below /proc/sys.
#ifndef RESTORER_NAMESPACE_SYSCTLS_H_
#define RESTORER_NAMESPACE_SYSCTLS_H_

#include <string>
#include <vector>

#include "formats/proto/ipc.pb.h"
#include "formats/proto/network.pb.h"

namespace ckpt {

struct SysctlPlan {
  std::string name;  // below /proc/sys: "kernel/shmmax"
  std::string value;
  bool must_be = false;  // otherwise that it cannot be set is a warning
};

void AddIpcSysctls(const pb::ipc_var_entry& entry, std::vector<SysctlPlan>& sysctls);

// Those of the namespace, in an order in which none changes one before it.
void AddNetSysctls(const pb::netns_entry& entry, std::vector<SysctlPlan>& sysctls);

// Those of a device; to be set after those of the namespace.
void AddDeviceSysctls(const pb::net_device_entry& device, std::vector<SysctlPlan>& sysctls);

}  // namespace ckpt

#endif  // RESTORER_NAMESPACE_SYSCTLS_H_
