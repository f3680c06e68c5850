// The last steps of a restore that need privileges: those that take them away.
#ifndef RESTORER_CREDENTIALS_H_
#define RESTORER_CREDENTIALS_H_

#include "base/result.h"
#include "restorer/restored_task.h"

namespace ckpt {

// Of each thread: groups, user and group ids, capabilities, securebits, no_new_privs; then what a
// change of credentials resets: the signal on the parent's death, and of the process, dumpable.
Result<> SetCredentials(RestoredTask& task);

}  // namespace ckpt

#endif  // RESTORER_CREDENTIALS_H_
