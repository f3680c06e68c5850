// The branches (layers) of a union filesystem, from what the kernel prints of it.
#ifndef PROCESS_UNION_BRANCHES_H_
#define PROCESS_UNION_BRANCHES_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ckpt {

struct UnionBranch {
  std::string path;         // of the branch directory on the host; raw bytes
  std::string permissions;  // "rw", "ro" or "rr"
  // What AUFS joins to the permission by '+' ("wh", "nolwh", "moo"); "data" for a data-only layer
  // of overlayfs, whose names are not part of the union.
  std::vector<std::string> attributes;

  bool operator==(const UnionBranch&) const = default;
};

// One line of /sys/fs/aufs/si_*/brN, or one item of `br:`: `PATH=PERM[+ATTR...]`, the path with
// octal escapes. The last '=' counts, for a path may hold others. kBadFormat without one.
Result<UnionBranch> ParseAufsBranch(std::string_view text);

// The functions below take the option string of a mount as the kernel prints it, octal escapes
// included, and give the branches top first; none when the options do not tell them.

// AUFS without br files in sysfs (brs=0): the `br:A=rw:B=ro+wh` in its options.
Result<std::vector<UnionBranch>> ParseAufsOptions(std::string_view options);

// unionfs: `dirs=/a=rw:/b=ro`.
Result<std::vector<UnionBranch>> ParseUnionfsOptions(std::string_view options);

// overlayfs and fuse-overlayfs: upperdir= ("rw"), then lowerdir= (':' between layers, "::" before
// data-only ones, a backslash before a byte of a name), lowerdir+= and datadir+= (6.8, no
// backslashes; datadir+= comes last). Source: fs/overlayfs/params.c, Linux 5.10 to 6.18.
std::vector<UnionBranch> ParseOverlayOptions(std::string_view options);

}  // namespace ckpt

#endif  // PROCESS_UNION_BRANCHES_H_
