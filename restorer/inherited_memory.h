// What a process that was made by fork changes of the memory that it has inherited, so that it
// becomes what its plan says and shares with its maker, copy on write, all that is equal.
#ifndef RESTORER_INHERITED_MEMORY_H_
#define RESTORER_INHERITED_MEMORY_H_

#include <functional>
#include <vector>

#include "restorer/restore_plan.h"

namespace ckpt {

// A part of a mapping of a plan, or all of it.
struct MappingPiece {
  const MappingPlan* mapping = nullptr;
  RemoteRange range;
};

struct InheritancePlan {
  std::vector<RemoteRange> unmapped;      // ascending
  std::vector<MappingPiece> mapped;       // ascending
  std::vector<MappingPiece> reprotected;  // have the protection of another mapping
  std::vector<RemoteRange> dropped;       // pages that only the maker has
  std::vector<PagesPlan> written;         // the others' content differs, or is missing
};

// Whether two pages of pages images hold the same; the ranges of both are of one page.
using IsSamePage = std::function<bool(const PagesPlan&, const PagesPlan&)>;

// Both are filled, and not protected yet: what will be written to is writable. The vdso, and what
// fork does not copy with its state (locks), is never inherited.
InheritancePlan PlanInheritance(const AddressSpacePlan& maker, const AddressSpacePlan& made,
                                const IsSamePage& is_same);

// While it is filled, a mapping is written to.
int ProtectionWhileFilling(const MappingPlan& mapping);

}  // namespace ckpt

#endif  // RESTORER_INHERITED_MEMORY_H_
