// The pass that repairs the paths of all that is no regular file: sockets, watches, the cache of
// watched inodes.
#ifndef IMGTOOL_NAME_PASS_H_
#define IMGTOOL_NAME_PASS_H_

#include "base/result.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

struct FixupContext;

inline constexpr char kNamePass[] = "names";
inline constexpr char kWatchPass[] = "watches";

// Paths in a branch become paths of the union, and their mount the one that the new path leads to,
// by the same evidence as those of files. A mount that no mountpoints image lists is replaced also
// where the path stays. kUnsupported: a name that would be too long for its kind, that other mounts
// cover, or that unions share.
Result<> ProposeNames(const FixupContext& context, EditPlan& plan);

// A watch on a file of a union that has nothing but a file handle, which dies with the mount, gets
// the path that irmap-cache has for its inode; without one it is noted. With a reference the device
// numbers of watches and ghosts follow those of the union's mounts.
Result<> ProposeWatches(const FixupContext& context, EditPlan& plan);

}  // namespace ckpt

#endif  // IMGTOOL_NAME_PASS_H_
