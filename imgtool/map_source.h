// Reads a branch map from whatever tells the branches of a union, see docs/branch-map.md.
#ifndef IMGTOOL_MAP_SOURCE_H_
#define IMGTOOL_MAP_SOURCE_H_

#include <string>

#include "base/result.h"
#include "imgtool/branch_map.h"
#include "imgtool/dump_facts.h"

namespace ckpt {

// `source` is a file or directory, or, where there is none of that name, the text itself: an option
// string or a line of mountinfo. What it is shows in its content: our text format, a dump (what
// ckpt-dump recorded), and all that branch_lists.h and mount_lists.h read. The map is not checked
// yet where it says AUFS's ids instead of mountpoints. kUnsupported: nothing of that; the message
// lists what there could be. Others are the errors of the readers.
Result<BranchMap> ReadMapSource(const std::string& source);

// Says where the unions of `map` are mounted in the dump, as far as that tells: by AUFS's id (in
// the options of a dumped mount, or recorded), by the device of the superblock. A single union that
// is mounted nowhere in the dump is taken for the root of its only namespace, if that can be one;
// of several those that the dump does not have are dropped. One whose superblock other namespaces
// mount, too, is in the map once for each, as "N:ID". Then checks the map.
Result<BranchMap> PlaceUnions(BranchMap map, const DumpFacts& facts);

}  // namespace ckpt

#endif  // IMGTOOL_MAP_SOURCE_H_
