// What each thread has for itself: the thread_info and thread_core of its core image.
#ifndef DUMPER_THREAD_STATE_H_
#define DUMPER_THREAD_STATE_H_

#include <sys/types.h>

#include "base/result.h"
#include "formats/proto/task.pb.h"
#include "process/remote_syscalls.h"
#include "process/tracee.h"

namespace ckpt {

// Fills all of `core` but tc and ids. `engine` is installed in the process of `thread`.
Result<> CollectThread(pid_t pid, Tracee& thread, const RemoteSyscalls& engine,
                       pb::core_entry* core);

// The pending signals as images have them: raw siginfo_t.
Result<> FillPendingSignals(const Tracee& thread, Tracee::Queue queue,
                            pb::signal_queue_entry* entry);

}  // namespace ckpt

#endif  // DUMPER_THREAD_STATE_H_
