// Steps of a restore that set up the terminal that processes are given.
#ifndef RESTORER_TTY_STEPS_H_
#define RESTORER_TTY_STEPS_H_

#include "base/result.h"
#include "restorer/restore_plan.h"
#include "restorer/restored_task.h"

namespace ckpt {

// Gives the terminal that is our standard input the settings that the plan's had. Late: it is not
// the plan's alone.
Result<> SetTerminal(const RestorePlan& plan);

// Makes a terminal the controlling one of the task, which leads its session, also where it is that
// of another session. Needs its descriptors, and the groups of all tasks.
Result<> TakeTerminal(RestoredTask& task);

}  // namespace ckpt

#endif  // RESTORER_TTY_STEPS_H_
