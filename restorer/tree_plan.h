// The order in which the processes of a tree are made, and by whom, so that each is born in its
// session: sessions are inherited, and only their leaders can begin one.
#ifndef RESTORER_TREE_PLAN_H_
#define RESTORER_TREE_PLAN_H_

#include "restorer/findings.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// Fills plan.tree from the numbers of plan.tasks, the first of which is the root and made already.
// Leaders of sessions and groups that have ended since are added to the tasks, as helpers. What
// cannot be made is told in `findings`.
void PlanTree(RestorePlan& plan, Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_TREE_PLAN_H_
