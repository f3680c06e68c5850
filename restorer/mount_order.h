// The mounts of a mountpoints image as a tree, in the order in which they can be made.
#ifndef RESTORER_MOUNT_ORDER_H_
#define RESTORER_MOUNT_ORDER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/proto/mounts.pb.h"
#include "restorer/findings.h"

namespace ckpt {

struct OrderedMount {
  const pb::mnt_entry* entry = nullptr;
  size_t parent = 0;  // in the order; of the first, itself
  std::string place;  // "IMAGE: mount ID at PATH"
};

// The root first, parents before their children; of mounts with one parent the deeper first, since
// another may hide where it is. Empty when there is a finding: no tree. `image` is the name of the
// image; the entries must outlive the result.
std::vector<OrderedMount> OrderMounts(const std::vector<pb::mnt_entry>& entries,
                                      std::string_view image, Findings& findings);

// `path` from below `directory`, both absolute: relative, empty where they are the same. Nothing
// when it is not below it.
std::optional<std::string> PathBelow(std::string_view path, std::string_view directory);

}  // namespace ckpt

#endif  // RESTORER_MOUNT_ORDER_H_
