// The mounts of a namespace as mountpoints-N.img has them, as raw as mountinfo gives them. Pure.
#ifndef DUMPER_MOUNT_ENTRIES_H_
#define DUMPER_MOUNT_ENTRIES_H_

#include <string_view>
#include <vector>

#include "formats/proto/mounts.pb.h"
#include "process/mountinfo.h"

namespace ckpt {

// The MS_* bits of an option string such as "rw,nosuid,relatime", and the options that have none.
struct SplitOptions {
  uint32_t flags = 0;
  std::string rest;
};
SplitOptions SplitMountOptions(std::string_view options);

// Of the format; UNSUPPORTED for a filesystem that it does not know.
pb::fstype FstypeOf(std::string_view name);

std::vector<pb::mnt_entry> BuildMountEntries(const std::vector<Mount>& mounts);

}  // namespace ckpt

#endif  // DUMPER_MOUNT_ENTRIES_H_
