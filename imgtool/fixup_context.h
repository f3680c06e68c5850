// What the passes of a fixup look at.
#ifndef IMGTOOL_FIXUP_CONTEXT_H_
#define IMGTOOL_FIXUP_CONTEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "imgtool/branch_map.h"
#include "imgtool/dump_facts.h"
#include "imgtool/mount_reference.h"
#include "imgtool/path_repair.h"
#include "imgtool/repair_evidence.h"
#include "imgtool/union_resolver.h"

namespace ckpt {

// A mount that a restorer binds from outside the dump: what is mounted at `mountpoint` gets the key
// by which the restorer is told where it is. Without a namespace it is that of the first process's,
// or where that has none there, of the others.
struct ExternalMount {
  std::string mountpoint;
  std::string key;
  std::optional<uint32_t> mnt_ns_id = std::nullopt;
};

// What the user wants of the mounts.
struct MountChoices {
  std::vector<ExternalMount> external;
  bool external_auto = false;             // all that need a key get one: their mountpoint
  std::optional<std::string> union_root;  // instead of "/"
  std::optional<MountReference> reference;
};

// All of it is decided before the first pass runs, and no pass looks at the edits of another: the
// plan does not depend on their order.
struct FixupContext {
  const DumpFacts& facts;
  const BranchMap& map;
  const PathRepairs& repairs;
  const UnionResolver& resolver;
  const MountChoices& mounts;
  const EvidenceRules& evidence;
};

}  // namespace ckpt

#endif  // IMGTOOL_FIXUP_CONTEXT_H_
