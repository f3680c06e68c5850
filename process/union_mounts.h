// The union mounts among the mounts of a namespace, and what they are made of: their branches.
#ifndef PROCESS_UNION_MOUNTS_H_
#define PROCESS_UNION_MOUNTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "process/mountinfo.h"
#include "process/union_branches.h"

namespace ckpt {

struct UnionMount {
  int32_t mnt_id = 0;
  std::string mountpoint;
  std::string root;    // of the mount in the union: not "/" for a bind mount of a part of it
  std::string fstype;  // "aufs", "overlay", "fuse.fuse-overlayfs", "unionfs", ...
  std::string id;      // AUFS: the hex digits of si=, of this boot; else empty
  std::string source;
  std::string options;                // Mount::super_options
  std::vector<UnionBranch> branches;  // top first; empty where nothing tells them

  bool operator==(const UnionMount&) const = default;
};

// Where branches are looked up; a test gives directories of its own.
struct UnionSources {
  std::string aufs_sysfs = "/sys/fs/aufs";
  // What relative branch paths start from. Docker mounts with short ones (l/XXXX) when they would
  // not fit into a page, and the kernel keeps no record of its directory: where this is empty,
  // the directories above upperdir= and above the mountpoint are tried.
  std::string working_directory;
};

bool IsUnionFilesystem(std::string_view fstype);

// The branches of the AUFS mount `si`, br0 first, by number. kNotFound when there are no br files.
Result<std::vector<UnionBranch>> ReadAufsBranches(const std::string& aufs_sysfs,
                                                  const std::string& si);

// Every union among `mounts`, in their order. Paths in mount options are made absolute and free of
// symbolic links where they lead somewhere, as the kernel's links show them; else they stay as
// given. A union whose branches nothing tells (FUSE does not) is listed without any; files that are
// there but cannot be read or understood are an error.
Result<std::vector<UnionMount>> FindUnionMounts(const std::vector<Mount>& mounts,
                                                const UnionSources& sources);

}  // namespace ckpt

#endif  // PROCESS_UNION_MOUNTS_H_
