// The mounts of a namespace as mountpoints-N.img has them, as raw as mountinfo gives them. Pure.
#ifndef DUMPER_MOUNT_ENTRIES_H_
#define DUMPER_MOUNT_ENTRIES_H_

#include <vector>

#include "formats/proto/mounts.pb.h"
#include "process/mountinfo.h"

namespace ckpt {

std::vector<pb::mnt_entry> BuildMountEntries(const std::vector<Mount>& mounts);

}  // namespace ckpt

#endif  // DUMPER_MOUNT_ENTRIES_H_
