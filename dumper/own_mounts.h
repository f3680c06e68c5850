// The mounts of a mount namespace that the tree has to itself: what a restorer will make each of
// them from. Pure.
#ifndef DUMPER_OWN_MOUNTS_H_
#define DUMPER_OWN_MOUNTS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "dumper/external_mounts.h"
#include "dumper/refusals.h"
#include "formats/proto/mounts.pb.h"
#include "process/mountinfo.h"

namespace ckpt {

// A tmpfs with content that goes into the dump.
struct OwnTmpfs {
  uint32_t device = 0;  // major << 20 | minor: the id of its image
  int32_t mnt_id = 0;   // of a mount that shows all of it
  std::string mountpoint;
};

struct OwnMounts {
  std::vector<pb::mnt_entry> entries;  // in the order of `mounts`
  std::vector<OwnTmpfs> tmpfs;         // one for each superblock
};

// Each of `mounts` must be the root, external, a file system that can be made anew, or a bind mount
// of a part of one of these; all others are refused. `dumper_mounts` are those of the caller, where
// external mounts without a key are looked for, if that is asked for.
OwnMounts BuildOwnMounts(const std::vector<Mount>& mounts, const ExternalMounts& externals,
                         const std::vector<Mount>& dumper_mounts, Refusals& refusals);

}  // namespace ckpt

#endif  // DUMPER_OWN_MOUNTS_H_
