// Which files of a dump have the name of a branch directory's file where they should have the
// union's, and what became of those files.
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
#include "imgtool/repair_evidence.h"
#include "imgtool/union_resolver.h"

namespace ckpt {

// What to do about a file that the union does not show any more.
enum class OnShadowed { kError, kRewrite, kGhost };
enum class OnDeleted { kError, kGhost };

// What decides about a path beside the dump itself.
struct RepairRules {
  const BranchMap* map = nullptr;
  EvidenceRules evidence;
  // Looks the file up in the union; empty when nothing of it is to be read.
  std::function<Result<ResolvedFile>(const FileQuestion& question)> resolve;
  OnShadowed on_shadowed = OnShadowed::kError;
  OnDeleted on_deleted = OnDeleted::kError;
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
  ResolvedFile found;
  // The file is to be made from the branch's: the union does not have it.
  bool is_ghost = false;
};

struct PathRepairs {
  std::vector<PathRepair> repairs;  // in the order of the files
  std::vector<PlanNote> notes;      // names in a branch that were left alone, and why
};

// A name in a branch is rewritten to that of the file in the union, or to what /proc/PID/maps said
// where that was recorded and differs (a file renamed since), if there is evidence that it is a
// branch's name (see JudgePath). Where mounts were dumped the name is one that leads to the file
// through them: by the union's own mount, or by a bind mount of it where another mount covers that.
// A pseudo-link of AUFS gets a name of its inode; a ghost that has lain in what is no directory of
// the union any more, one in the directory above.
//
// An error names all entries that it is about, and has the code of the first. kUnsupported: two
// unions share the branch and nothing tells them apart; a name of AUFS itself without another name;
// a file that was deleted in the union, or is shadowed by another one there, unless the rules say
// what to do; a new name that other mounts cover or that exceeds 4095 bytes. kNotFound: the root
// file system that is read has no such file.
Result<PathRepairs> FindPathRepairs(const DumpFacts& facts, const RepairRules& rules);

// The namespace of the dump that a file belongs to: that of the tasks that use it, else the only
// one there is.
std::optional<uint32_t> NamespaceOf(const DumpFacts& facts, const DumpedFile& file,
                                    const MapUnion* mount);

}  // namespace ckpt

#endif  // IMGTOOL_PATH_REPAIR_H_
