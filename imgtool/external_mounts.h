// Mounts of a dump that a restorer cannot make by itself: bind mounts of the old host's files
// (/etc/hosts and the like, volumes), and unions that are not the root. The mounts are always those
// of all namespaces that the restorer makes, as MountsToMake() has them: it binds from one
// namespace into another.
#ifndef IMGTOOL_EXTERNAL_MOUNTS_H_
#define IMGTOOL_EXTERNAL_MOUNTS_H_

#include <cstdint>
#include <vector>

#include "imgtool/mount_table.h"

namespace ckpt {

// A key is set, in either of the format's two ways.
bool IsExternal(const pb::mnt_entry& mount);

// The first mount at "/" whose parent is in no image: it is bound from the --root of the restorer.
// Null where there is none.
const DumpedMount* FindGivenRoot(const std::vector<DumpedMount>& mounts);

// Whether another mount shows all of the file system that this one shows: the root file system, one
// that the restorer makes, or another bind mount.
bool HasWiderMount(const DumpedMount& mount, const std::vector<DumpedMount>& mounts);

// What needs a key and has none, in the order of the images: see above. Of unions that several
// mounts show the widest is enough, from which the restorer binds the others.
std::vector<const DumpedMount*> MountsThatNeedKeys(const std::vector<DumpedMount>& mounts);

}  // namespace ckpt

#endif  // IMGTOOL_EXTERNAL_MOUNTS_H_
