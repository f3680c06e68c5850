// `imgtool x DUMP mounts`: mounts.
#ifndef IMGTOOL_EXPLORE_MOUNTS_VIEW_H_
#define IMGTOOL_EXPLORE_MOUNTS_VIEW_H_

#include <vector>

#include "formats/proto/mounts.pb.h"
#include "imgtool/explore/view.h"

namespace ckpt {

struct MountPlace {
  size_t index;  // of the entry
  size_t depth;  // below the root of its tree
};

// Parents before their children, these by mountpoint; what is in no tree (its parents are missing,
// or lead in a circle) comes last, at depth 0. Pure.
std::vector<MountPlace> OrderMounts(const std::vector<pb::mnt_entry>& mounts);

// "tmpfs", of AUTO the name that the entry has.
std::string FstypeText(const pb::mnt_entry& mount);
// "shared:2 master:1"; empty for a private mount.
std::string PropagationText(const pb::mnt_entry& mount);

// A tree for each mount namespace; with pids, those that these are in.
Result<> ListMounts(const ViewInput& input, Listing& listing);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_MOUNTS_VIEW_H_
