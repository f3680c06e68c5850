// The mounts of the namespace that another process is in.
#ifndef PROCESS_NAMESPACE_MOUNTS_H_
#define PROCESS_NAMESPACE_MOUNTS_H_

#include <sys/types.h>

#include <vector>

#include "base/result.h"
#include "process/kernel_features.h"
#include "process/mountinfo.h"

namespace ckpt {

// Those that lie under the root of the namespace, with mountpoints seen from there, also where the
// process has another root directory, from which ReadMounts() sees. In the kernel's order. Joins
// the namespace where statmount does not answer.
Result<std::vector<Mount>> ReadNamespaceMounts(pid_t pid, const KernelFeatures& features);

}  // namespace ckpt

#endif  // PROCESS_NAMESPACE_MOUNTS_H_
