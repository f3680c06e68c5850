// Steps of a restore that give a process its timers.
#ifndef RESTORER_TASK_TIMERS_H_
#define RESTORER_TASK_TIMERS_H_

#include "base/result.h"
#include "restorer/restored_task.h"

namespace ckpt {

// POSIX timers with their ids: as wanted where the kernel can (PR_TIMER_CREATE_RESTORE_IDS, Linux
// 6.16), else by making and deleting timers until the next id, which the kernel counts up, is the
// wanted one. Needs the threads.
Result<> CreateTimers(RestoredTask& task);

// Sets the time that was left, on timers of both kinds. Late: they run from here on.
Result<> ArmTimers(RestoredTask& task);

}  // namespace ckpt

#endif  // RESTORER_TASK_TIMERS_H_
