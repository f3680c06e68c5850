// Steps of a restore that set up the terminal that processes are given.
#ifndef RESTORER_TTY_STEPS_H_
#define RESTORER_TTY_STEPS_H_

#include "base/result.h"
#include "restorer/restore_plan.h"
#include "restorer/restored_task.h"

namespace ckpt {

// Gives the terminal that is our standard input the settings that the plan's had, and, where it
// controls the session that we and processes of the plan are in, the foreground group. Late: it is
// not the plan's alone.
Result<> SetTerminal(const RestorePlan& plan);

// Makes the terminal that is our standard input, and still the task's, the controlling one of the
// session that the task has begun, also where it is that of another session: where the plan says
// so. Before the task has children, for who is born without a controlling terminal stays so.
Result<> TakeTerminal(RestoredTask& task);

// Gives such a terminal the foreground group that the plan's had. Needs the descriptors of the
// task, and the groups of all.
Result<> SetForegroundGroup(RestoredTask& task);

}  // namespace ckpt

#endif  // RESTORER_TTY_STEPS_H_
