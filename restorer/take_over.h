// The first steps of a restore in a stub: from a copy of the restorer to a process with an empty
// address space that makes the calls it is told to.
#ifndef RESTORER_TAKE_OVER_H_
#define RESTORER_TAKE_OVER_H_

#include "base/result.h"
#include "restorer/restored_task.h"

namespace ckpt {

// Maps the scratch area of remote calls where neither the stub nor any process of the plan has
// anything, and unregisters the restartable sequences that the stub has from the restorer.
Result<> TakeOver(RestoredTask& task, const RestorePlan& plan);

// Gives the stub a table of descriptors of its own, with what the restorer has open.
Result<> LeaveDescriptors(RestoredTask& task);

// Unmaps what the stub came with, but for the scratch area and the kernel's vdso, which is moved
// out of the way (see vdso_step.h).
Result<> ClearAddressSpace(RestoredTask& task);

}  // namespace ckpt

#endif  // RESTORER_TAKE_OVER_H_
