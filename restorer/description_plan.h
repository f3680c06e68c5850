// What entries of files.img of all kinds say in the same way.
#ifndef RESTORER_DESCRIPTION_PLAN_H_
#define RESTORER_DESCRIPTION_PLAN_H_

#include <cstdint>
#include <optional>

#include "formats/proto/owner.pb.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// Without the flags of open(2) that act when a file is opened and are no state of it.
int OpenFlags(uint32_t flags);

// Nothing where nobody gets signals.
std::optional<FileOwnerPlan> PlanOwner(const pb::fown_entry& entry);

}  // namespace ckpt

#endif  // RESTORER_DESCRIPTION_PLAN_H_
