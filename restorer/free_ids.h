// The numbers that processes and threads must get back, and whether anybody has them now.
#ifndef RESTORER_FREE_IDS_H_
#define RESTORER_FREE_IDS_H_

#include <sys/types.h>

#include <span>
#include <vector>

#include "base/result.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// Of all processes and threads of the plan.
std::vector<pid_t> IdsOf(const RestorePlan& plan);

// kSystem, with a line for each of `ids` that a process or thread of our pid namespace has.
Result<> CheckUnused(std::span<const pid_t> ids);

}  // namespace ckpt

#endif  // RESTORER_FREE_IDS_H_
