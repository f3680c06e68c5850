// Steps of a restore that connect a process with what is around it: descriptors, root, working
// directory.
#ifndef RESTORER_TASK_SURROUNDINGS_H_
#define RESTORER_TASK_SURROUNDINGS_H_

#include <map>

#include "base/log.h"
#include "base/result.h"
#include "restorer/restored_task.h"

namespace ckpt {

// umask, root and working directory. Needs the descriptors of the restorer.
Result<> SetDirectories(RestoredTask& task);

// Puts each description at its numbers and closes everything else.
Result<> SetDescriptors(RestoredTask& task);

// Owners of open files, for signals (F_SETOWN_EX, F_SETSIG). `ids` are the numbers that we know
// processes, threads and groups of the plan by, which exist; in our own pid namespace the others
// are as the plan has them. In another one an owner that has ended gets a warning.
Result<> SetFileOwners(const RestorePlan& plan, const OpenedFiles& files,
                       const std::map<pid_t, pid_t>& ids, Log& log);

}  // namespace ckpt

#endif  // RESTORER_TASK_SURROUNDINGS_H_
