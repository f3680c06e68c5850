// What the passes of a fixup look at.
#ifndef IMGTOOL_FIXUP_CONTEXT_H_
#define IMGTOOL_FIXUP_CONTEXT_H_

#include "imgtool/branch_map.h"
#include "imgtool/dump_facts.h"
#include "imgtool/path_repair.h"
#include "imgtool/union_view.h"

namespace ckpt {

// All of it is decided before the first pass runs, and no pass looks at the edits of another: the
// plan does not depend on their order.
struct FixupContext {
  const DumpFacts& facts;
  const BranchMap& map;
  const PathRepairs& repairs;
  const UnionView& view;
};

}  // namespace ckpt

#endif  // IMGTOOL_FIXUP_CONTEXT_H_
