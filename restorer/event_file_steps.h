// Steps of a restore that bring files that tell of events to life.
#ifndef RESTORER_EVENT_FILE_STEPS_H_
#define RESTORER_EVENT_FILE_STEPS_H_

#include "base/result.h"
#include "restorer/restored_task.h"

namespace ckpt {

// Has the epolls of the task watch its descriptors. Needs the descriptors, and is made by the task
// itself: the numbers are its own, and what a signalfd tells an epoll are the signals of whoever
// adds it (epoll(7)).
Result<> SetWatches(RestoredTask& task);

// Sets the time that was left on all timerfds. Late: they run from here on.
Result<> ArmTimerFiles(const RestorePlan& plan, const OpenedFiles& files);

}  // namespace ckpt

#endif  // RESTORER_EVENT_FILE_STEPS_H_
