// Steps of a restore that connect a process with what is around it: session and process group,
// descriptors, root, working directory.
#ifndef RESTORER_TASK_SURROUNDINGS_H_
#define RESTORER_TASK_SURROUNDINGS_H_

#include "base/result.h"
#include "restorer/restored_task.h"

namespace ckpt {

// Before anything is made: whether the process can be put in its session and group.
Result<> CheckSession(const TaskPlan& plan);

Result<> JoinSession(RestoredTask& task);

// umask, root and working directory. Needs the descriptors of the restorer.
Result<> SetDirectories(RestoredTask& task);

// Puts each description at its numbers and closes everything else.
Result<> SetDescriptors(RestoredTask& task);

// Owners of open files, for signals (F_SETOWN_EX, F_SETSIG). Needs the threads.
Result<> SetFileOwners(const RestorePlan& plan, const OpenedFiles& files);

}  // namespace ckpt

#endif  // RESTORER_TASK_SURROUNDINGS_H_
