// Lists of branches as other programs keep or print them, each read into unions.
#ifndef IMGTOOL_BRANCH_LISTS_H_
#define IMGTOOL_BRANCH_LISTS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "imgtool/branch_map.h"

namespace ckpt {

// What each returns when the source is of another kind: nothing.
using FoundUnions = Result<std::optional<std::vector<MapUnion>>>;

// A copy of /sys/fs/aufs/si_ID with its files brN, or of the directory that holds several of them.
// A union of a copy whose name does not say so has no id.
FoundUnions ReadAufsSysfs(const std::string& directory);

// Lines with the names and contents of those files: a dump log of CRIU ("(00.014) /sys/fs/aufs/
// si_ID/brN : PATH", which leaves the permissions out), or what `grep . /sys/fs/aufs/si_*/br*`
// prints ("/sys/fs/aufs/si_ID/brN:PATH=PERM"). N sorts as a number; repetitions are dropped.
FoundUnions ReadAufsLines(std::string_view text, const std::string& name);

// Docker's aufs/layers/ID: the ids of the parents, the nearest first; their content is in
// aufs/diff. The top is ID's own.
FoundUnions ReadDockerAufsLayers(const std::string& file);

// A layer's directory of Docker's overlay2 or of containers/storage (podman): `diff` is the top,
// `lower` lists the links ("l/NAME") to what is below it. Without `lower` it is a single layer.
FoundUnions ReadOverlayLayerDirectory(const std::string& directory);

}  // namespace ckpt

#endif  // IMGTOOL_BRANCH_LISTS_H_
