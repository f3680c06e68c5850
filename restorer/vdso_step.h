// What a restore does with the vdso: the kernel maps its own into every process, and the dumped
// task calls the one that it had.
#ifndef RESTORER_VDSO_STEP_H_
#define RESTORER_VDSO_STEP_H_

#include "base/result.h"
#include "restorer/restored_task.h"

namespace ckpt {

// Moves the running vdso out of the way, to a hole, and decides whether it takes the place of the
// dumped one (same sizes, same functions at the same offsets) or the dumped one gets jumps to it.
Result<> ParkVdso(RestoredTask& task);

// The second half of that alone, for a process that has inherited the running vdso where it was
// moved to.
Result<> DecideOnVdso(RestoredTask& task);

// Moves the running vdso to its place, or writes the patched one, or unmaps the running one where
// the dump has none.
Result<> PlaceVdso(RestoredTask& task);

}  // namespace ckpt

#endif  // RESTORER_VDSO_STEP_H_
