// Lists of mounts as the kernel, commands and container engines print them, read into unions.
#ifndef IMGTOOL_MOUNT_LISTS_H_
#define IMGTOOL_MOUNT_LISTS_H_

#include <string>
#include <string_view>

#include "imgtool/branch_lists.h"

namespace ckpt {

// Lines of mountinfo or /proc/mounts, commands "mount -t TYPE SOURCE TARGET -o OPTIONS" (what
// `ctr snapshots mounts` prints), or an option string by itself: the unions among them.
FoundUnions ReadMountLines(std::string_view text, const std::string& name);

// JSON of `docker inspect` and `podman inspect` (GraphDriver.Data: LowerDir, UpperDir), and
// containerd's list of mounts (Type, Source, Options).
FoundUnions ReadInspectJson(std::string_view text, const std::string& name);

}  // namespace ckpt

#endif  // IMGTOOL_MOUNT_LISTS_H_
