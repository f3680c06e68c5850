// The steps that bring processes to where they no longer run: helpers and zombies to their end,
// stopped ones to their stop.
#ifndef RESTORER_PROCESS_ENDS_H_
#define RESTORER_PROCESS_ENDS_H_

#include "base/result.h"
#include "restorer/restored_task.h"
#include "restorer/restored_tree.h"

namespace ckpt {

// All groups and sessions must have their members.
Result<> EndHelpers(RestoredTree& tree);

// Lets a zombie run into the end that its parent has still to be told of. One that dumped core does
// so again, into a file that goes with it; where that cannot be done there is a warning.
Result<> EndZombie(RestoredTask& zombie);

// Lets a process go with a SIGSTOP that it takes before any of its code runs, and waits until it
// has. Its registers must be set.
Result<> StopAndRelease(RestoredTask& task);

}  // namespace ckpt

#endif  // RESTORER_PROCESS_ENDS_H_
