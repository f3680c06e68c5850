// The branches of a union mount as its mount options list them: of AUFS "br:" (also "br=", as given
// to mount), of unionfs "dirs=", of overlayfs "lowerdir=", "upperdir=" and newer spellings.
// Sources: aufs(5), fs/aufs/opts.c; Documentation/filesystems/overlayfs.rst, fs/overlayfs/params.c.
#ifndef IMGTOOL_BRANCH_OPTIONS_H_
#define IMGTOOL_BRANCH_OPTIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "imgtool/branch_map.h"

namespace ckpt {

// A union as its options tell it; of AUFS with brs=1 only the id.
struct OptionUnion {
  std::string type;  // "aufs", "overlay" or "unionfs"
  std::string si;    // of AUFS, where it is there
  std::vector<Branch> branches;
};

// Whether an option of a union file system is among them.
bool HasUnionOptions(std::string_view options);

// Octal escapes, as the kernel prints them, are undone, and the backslashes of overlayfs below
// them. A permission that is not said is AUFS's default: "rw" for the first branch, "ro" for the
// others. kBadFormat: a broken escape, an unknown permission, a path that NormalPath refuses.
// kUnsupported: relative layers (Docker writes "l/NAME") which cannot be resolved here.
Result<OptionUnion> ParseUnionOptions(std::string_view options);

// "PATH=PERM+ATTR", a line of /sys/fs/aufs/si_*/br*: split at the last '=', since a path may have
// one. Where what follows is no permission all of it is the path, with `permission`.
Result<Branch> ParseAufsBranch(std::string_view text, BranchPermission permission);

}  // namespace ckpt

#endif  // IMGTOOL_BRANCH_OPTIONS_H_
