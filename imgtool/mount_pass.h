// The pass that takes the old host out of the union mounts of mountpoints images.
#ifndef IMGTOOL_MOUNT_PASS_H_
#define IMGTOOL_MOUNT_PASS_H_

#include <cstdint>
#include <set>

#include "base/result.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

struct FixupContext;

inline constexpr char kMountPass[] = "mounts";

// For every AUFS mount, every mount that the map describes and can be a union, and every other
// mount of the same superblock (they must stay equal, or bind mounts lose their group):
// options without what names the old host; a root that lies in a branch becomes the path in the
// union; a source that lies in a branch becomes "none". With a reference the unions that are meant
// get its device, type, source and options instead; with a union root, that path in front of
// theirs. What a mount is a mount of, and the root that the path is put in front of, is that of the
// mount before any fixup: ckpt-raw.img gets the old entry of each mount that is changed for the
// first time. Later runs change such a mount by --mount-ref and --mount-root only.
Result<> ProposeMounts(const FixupContext& context, EditPlan& plan);

// The superblocks that the pass takes for unions, of all namespaces of the dump, by the devices
// that they had before any fixup.
std::set<uint32_t> UnionDevices(const FixupContext& context);

// Those that --mount-ref and --mount-root are about: the root of the first process; all, where that
// is no union.
class MeantUnions {
 public:
  explicit MeantUnions(const FixupContext& context);

  bool Contains(uint32_t device) const { return devices_.contains(device); }

 private:
  std::set<uint32_t> devices_;
};

}  // namespace ckpt

#endif  // IMGTOOL_MOUNT_PASS_H_
