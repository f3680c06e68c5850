// Why a path that lies in a branch is taken for the branch's, and why not: the same path can exist
// inside the union, as in a container that runs Docker itself.
#ifndef IMGTOOL_REPAIR_EVIDENCE_H_
#define IMGTOOL_REPAIR_EVIDENCE_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "imgtool/branch_map.h"
#include "imgtool/branch_match.h"
#include "imgtool/dump_facts.h"

namespace ckpt {

// Whether the union that can be read here has a file of that name; empty when none can.
using HasFile = std::function<Result<bool>(const MapUnion& mount, const std::string& path)>;

struct EvidenceRules {
  // The user gave the map: its word is evidence, if a weak one.
  bool map_is_explicit = false;
  // The user says that doubts do not count.
  bool force = false;
  HasFile union_has_file;
};

// A path of the dump, whoever has it.
struct PathClaim {
  std::string_view path;
  std::optional<int64_t> mnt_id;             // that it was reached through, where known
  const RecordedMapping* mapping = nullptr;  // that gave it its name
  bool mapped_only = false;                  // only mappings refer to it
};

// Exactly one is set.
struct Judgement {
  std::string evidence;
  std::string doubt;
};

// Evidence is, in this order: a recorded mapping, unless its device is not the branch's; a mount id
// that no mountpoints image lists; that no file of the union can have such a name, being outside
// its mountpoint; that only mappings refer to the file; the user's own map. The last two do not
// count against the dumped mount id of the namespace's own mount, a file of that name in the union,
// or a union mounted inside the branch, unless the user forces them.
Result<Judgement> JudgePath(const PathClaim& claim, const MapUnion& mount, const BranchMatch& match,
                            const DumpFacts& facts, const EvidenceRules& rules);

}  // namespace ckpt

#endif  // IMGTOOL_REPAIR_EVIDENCE_H_
