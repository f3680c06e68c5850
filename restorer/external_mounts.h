// What the command line says external mounts are.
#ifndef RESTORER_EXTERNAL_MOUNTS_H_
#define RESTORER_EXTERNAL_MOUNTS_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "restorer/mount_plan.h"

namespace ckpt {

// `maps` are the values of --ext-mount-map, "KEY:PATH" or "auto", `externals` those of --external,
// "mnt[KEY]:PATH" or "mnt[]" with or without options. Mounts that were found to be external
// automatically need neither: their path is in the dump. kUsage for anything else, and for a key
// that has two paths.
Result<ExternalMounts> ParseExternalMounts(const std::vector<std::string>& maps,
                                           const std::vector<std::string>& externals);

}  // namespace ckpt

#endif  // RESTORER_EXTERNAL_MOUNTS_H_
