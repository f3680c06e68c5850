// Mounts that a restorer is given instead of making them, as the command line names them. Pure.
#ifndef DUMPER_EXTERNAL_MOUNTS_H_
#define DUMPER_EXTERNAL_MOUNTS_H_

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ckpt {

struct ExternalMounts {
  std::map<std::string, std::string> keys;  // in images, by mountpoint
  // Bind mounts from outside that have no key are looked for among the mounts of the dumper.
  bool automatic = false;
};

// --ext-mount-map: MOUNTPOINT:KEY, or "auto". kUsage says what was expected.
Result<> AddExtMountMap(std::string_view text, ExternalMounts& mounts);

// --external: mnt[MOUNTPOINT]:KEY, or mnt[] (also with flags behind it, mnt[]:ms) for "auto".
Result<> AddExternal(std::string_view text, ExternalMounts& mounts);

}  // namespace ckpt

#endif  // DUMPER_EXTERNAL_MOUNTS_H_
