// The mounts that a process sees, as /proc/PID/mountinfo lists them.
#ifndef PROCESS_MOUNTINFO_H_
#define PROCESS_MOUNTINFO_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "process/kernel_features.h"

namespace ckpt {

struct Mount {
  // The small, reusable ids of mountinfo and fdinfo (statmount's mnt_id_old).
  int32_t mnt_id = 0;
  int32_t parent_mnt_id = 0;
  uint32_t dev_major = 0;  // st_dev of the superblock
  uint32_t dev_minor = 0;
  std::string root;           // in the filesystem; unescaped, may end in "//deleted"
  std::string mountpoint;     // seen from the root directory of the process; unescaped
  std::string mount_options;  // "rw,nosuid,relatime"
  uint32_t shared_group = 0;  // peer group of a shared mount, 0 for none
  uint32_t master_group = 0;  // peer group that a slave receives from, 0 for none
  uint32_t propagate_from =
      0;  // nearest group above it under the process's root, if not the master
  bool unbindable = false;
  std::string fstype;  // with subtype: "fuse.sshfs"; unescaped
  std::string source;  // unescaped; "none" or "" when there is none
  // As in the text, with its octal escapes: they are undone only after splitting at ',' (and, in
  // overlayfs of 6.6, at ':').
  std::string super_options;

  bool operator==(const Mount&) const = default;
};

// The whole text of a mountinfo file. kBadFormat names the line. Optional fields that we do not
// know are passed over, as proc(5) asks.
Result<std::vector<Mount>> ParseMountinfo(std::string_view text);

// The mounts of the namespace of `pid` that lie under its root directory, in the kernel's order, by
// listmount and statmount. Nothing when the text would say something else: when the root directory
// of the process is not the root of its mount namespace (statmount's paths start at the latter),
// and when a mount in another namespace than the caller's is a slave (statmount computes
// propagate_from for the caller).
Result<std::optional<std::vector<Mount>>> QueryMounts(pid_t pid);

// The same by QueryMounts where `features` has it and it answers, else from the text.
Result<std::vector<Mount>> ReadMounts(pid_t pid, const KernelFeatures& features);

}  // namespace ckpt

#endif  // PROCESS_MOUNTINFO_H_
