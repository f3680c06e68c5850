// Mounts of a dump that a restorer cannot make by itself: bind mounts of the old host's files
// (/etc/hosts and the like, volumes), and unions that are not the root. The mounts are always those
// of all namespaces that the restorer makes, as MountsToMake() has them: it binds from one
// namespace into another.
#ifndef IMGTOOL_EXTERNAL_MOUNTS_H_
#define IMGTOOL_EXTERNAL_MOUNTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formats/check/mounted_directories.h"
#include "imgtool/mount_table.h"

namespace ckpt {

// The first mount at "/" whose parent is in no image: it is bound from the --root of the restorer.
// Null where there is none.
const DumpedMount* FindGivenRoot(const std::vector<DumpedMount>& mounts);

// What needs a key and has none, in the order of the images: see above. Of unions that several
// mounts show the widest is enough, from which the restorer binds the others.
std::vector<const DumpedMount*> MountsThatNeedKeys(const std::vector<DumpedMount>& mounts);

// The N of the mountpoints-N.img that the mount is in; nothing where that is the first namespace.
std::optional<uint64_t> FurtherNamespaceOf(const DumpedMount& mount,
                                           const std::vector<DumpedMount>& mounts);

// Names one mount among those of all namespaces: the mountpoint, with that N before it ("8/data").
std::string ExternalName(const DumpedMount& mount, const std::vector<DumpedMount>& mounts);

}  // namespace ckpt

#endif  // IMGTOOL_EXTERNAL_MOUNTS_H_
