// listmount(2) and statmount(2), Linux 6.8: the mounts of a namespace in binary.
#ifndef PROCESS_STATMOUNT_H_
#define PROCESS_STATMOUNT_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace ckpt {

// What statmount(2) says of one mount. Strings are unescaped but for `options`, which are as in
// mountinfo, without rw/ro and the other options that all filesystems have (those are sb_flags).
struct MountStat {
  uint32_t dev_major = 0;
  uint32_t dev_minor = 0;
  uint32_t sb_flags = 0;    // MS_RDONLY, MS_SYNCHRONOUS, MS_DIRSYNC, MS_LAZYTIME
  uint32_t mnt_id_old = 0;  // the id of mountinfo and fdinfo
  uint32_t parent_id_old = 0;
  uint64_t mnt_id = 0;       // unique since boot
  uint64_t attributes = 0;   // MOUNT_ATTR_*
  uint64_t propagation = 0;  // MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE
  uint64_t peer_group = 0;
  uint64_t master_group = 0;
  uint64_t propagate_from = 0;  // seen from the caller's root directory
  std::string fstype;
  std::string fs_subtype;
  std::string root;
  std::string mountpoint;  // from the caller's root; in another namespace, from its root mount
  std::string source;
  std::string options;
};

// The id of the mount namespace of a process (ioctl NS_GET_MNTNS_ID, 6.11).
Result<uint64_t> MountNamespaceId(pid_t pid);

// The unique ids of the mounts of a namespace that can be reached from the root that the
// mountpoints start at, in the order of mountinfo.
Result<std::vector<uint64_t>> ListMounts(uint64_t namespace_id);

// kUnsupported when the kernel is too old to give all of MountStat (before 6.15).
Result<MountStat> StatMount(uint64_t namespace_id, uint64_t mnt_id);

}  // namespace ckpt

#endif  // PROCESS_STATMOUNT_H_
