// Which paths of a dump name a branch directory's file where they should name the union's.
#ifndef IMGTOOL_PATH_REPAIR_H_
#define IMGTOOL_PATH_REPAIR_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "imgtool/branch_map.h"
#include "imgtool/branch_match.h"
#include "imgtool/dump_facts.h"

namespace ckpt {

// What decides about a path beside the dump itself.
struct RepairRules {
  const BranchMap* map = nullptr;
  // The user gave the map: its word is evidence, if a weak one.
  bool map_is_explicit = false;
  // Whether the union that is mounted here has a file of that name; empty when none is.
  std::function<Result<bool>(const MapUnion& mount, const std::string& path)> union_has_file;
};

struct PathRepair {
  const DumpedFile* file = nullptr;
  const MapUnion* mount = nullptr;
  // The namespace of the dump that the path is one of, and the mount there that the new name leads
  // to. Nothing and null when no mountpoints image tells.
  std::optional<uint32_t> mnt_ns_id;
  const DumpedMount* owner = nullptr;
  std::string new_name;
  std::string evidence;
};

struct PathRepairs {
  std::vector<PathRepair> repairs;  // in the order of the files
  std::vector<PlanNote> notes;      // names in a branch that were left alone, and why
};

// A name in a branch is rewritten to mountpoint + rest, or to what /proc/PID/maps said where that
// was recorded and differs (a file renamed since), if there is evidence that it is a branch's
// name and not the same path inside the union. Evidence is, in this order: a recorded mapping; a
// mount id that no mountpoints image lists; that no file of the union can have such a name, being
// outside its mountpoint; that only mappings refer to the file; the user's own map. The last two
// do not count against the dumped mount id of the namespace's own mount, a file of that name in the
// mounted union, or a union mounted inside the branch.
//
// kUnsupported, naming the entry: two unions share the branch and nothing tells them apart; a name
// of AUFS itself; a mapped file that was deleted in the union; a new name that another mount
// covers or that exceeds 4095 bytes.
Result<PathRepairs> FindPathRepairs(const DumpFacts& facts, const RepairRules& rules);

// The namespace of the dump that a file belongs to: that of the tasks that use it, else the only
// one there is.
std::optional<uint32_t> NamespaceOf(const DumpFacts& facts, const DumpedFile& file,
                                    const MapUnion* mount);

}  // namespace ckpt

#endif  // IMGTOOL_PATH_REPAIR_H_
