// What mountinfo and mount entries spell in two ways: options that are flags, and names of file
// systems. Pure.
#ifndef FORMATS_MOUNT_OPTIONS_H_
#define FORMATS_MOUNT_OPTIONS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/proto/mounts.pb.h"

namespace ckpt {

// The MS_* bits of an option string such as "rw,nosuid,relatime", and the options that have none.
struct SplitOptions {
  uint32_t flags = 0;
  std::string rest;
};
SplitOptions SplitMountOptions(std::string_view options);

// Of the format; UNSUPPORTED for a file system that it does not know. Those in user space
// ("fuse.sshfs") are FUSE.
pb::fstype FstypeOf(std::string_view name);

}  // namespace ckpt

#endif  // FORMATS_MOUNT_OPTIONS_H_
