// `imgtool aufs-fixup`: repairs paths of branch directories in a dump.
#ifndef IMGTOOL_AUFS_FIXUP_COMMAND_H_
#define IMGTOOL_AUFS_FIXUP_COMMAND_H_

#include <boost/program_options/options_description.hpp>

#include "base/result.h"
#include "imgtool/command.h"

namespace ckpt {

inline constexpr char kAufsFixupDescription[] =
    "Rewrites the paths of regular files that name a file in a branch directory of a union mount\n"
    "(AUFS, overlayfs) into the path that it has in the union, with the mount ids, sizes and "
    "modes\n"
    "that go with them, and takes the old host out of the options of the union mounts. Each "
    "change\n"
    "is reported: image, entry, field, old, new, and why.\n\n"
    "The branches are those that ckpt-dump recorded, or those of --branches MAP, a branch map\n"
    "(docs/branch-map.md) or another source (see imgtool branches). Nothing is written over DUMP "
    "without --in-place; a failure\n"
    "leaves it as it was. Files that need no change are hard-linked into OUT.\n";

void AddAufsFixupOptions(boost::program_options::options_description& options);

// 0 also when there is nothing to do.
Result<int> RunAufsFixup(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_AUFS_FIXUP_COMMAND_H_
