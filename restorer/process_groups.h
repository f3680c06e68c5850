// Steps that put processes into their groups. Sessions they have from the way they were made (see
// tree_plan.h).
#ifndef RESTORER_PROCESS_GROUPS_H_
#define RESTORER_PROCESS_GROUPS_H_

#include "base/result.h"
#include "restorer/restored_task.h"

namespace ckpt {

// Has the session and the group of the first process, where they were not its own, replaced by
// those of whoever restores: the numbers become 0 everywhere. What --shell-job asks for.
void TakeOverOutsideSession(RestorePlan& plan);

// Before anything is made, and before that: whether the processes can be put in their sessions.
Result<> CheckSessions(const RestorePlan& plan, bool is_shell_job);

// First those that lead their group, then the others.
Result<> LeadGroup(RestoredTask& task);
Result<> JoinGroup(RestoredTask& task);

}  // namespace ckpt

#endif  // RESTORER_PROCESS_GROUPS_H_
