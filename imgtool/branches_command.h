// `imgtool branches`: prints the branches that any source tells as a branch map.
#ifndef IMGTOOL_BRANCHES_COMMAND_H_
#define IMGTOOL_BRANCHES_COMMAND_H_

#include <boost/program_options/options_description.hpp>

#include "base/result.h"
#include "imgtool/command.h"

namespace ckpt {

inline constexpr char kBranchesDescription[] =
    "Prints as a branch map (docs/branch-map.md) what a source says of union mounts. A source is\n"
    "a dump of ckpt-dump, in an archive, too; a copied /sys/fs/aufs/si_* directory; the log of a\n"
    "CRIU dump; a file aufs/layers/ID or a directory overlay2/ID of Docker, or overlay/ID of\n"
    "podman; the JSON of docker inspect and podman inspect, or of containerd's mounts; lines of\n"
    "mountinfo or /proc/mounts; mount options (br:, dirs=, lowerdir=), also on the command line; "
    "a\n"
    "branch map. `-` is the standard input.\n"
    "What it prints can be edited and given to aufs-fixup --branches, and so can the source.\n";

void AddBranchesOptions(boost::program_options::options_description& options);
Result<int> RunBranches(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_BRANCHES_COMMAND_H_
