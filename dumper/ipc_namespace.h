// The parameters of an IPC namespace, and that there are no objects in it.
#ifndef DUMPER_IPC_NAMESPACE_H_
#define DUMPER_IPC_NAMESPACE_H_

#include <string>

#include "base/result.h"
#include "dumper/refusals.h"
#include "formats/proto/ipc.pb.h"

namespace ckpt {

// Of the calling thread. System V shared memory, semaphores, message queues and POSIX message
// queues are refused, each kind with its keys or names. `proc` is an instance of procfs.
Result<pb::ipc_var_entry> ReadIpcNamespace(const std::string& proc, Refusals& refusals);

}  // namespace ckpt

#endif  // DUMPER_IPC_NAMESPACE_H_
