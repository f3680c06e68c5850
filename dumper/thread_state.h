// What each thread has for itself, as thread_info and thread_core of its core image have it.
#ifndef DUMPER_THREAD_STATE_H_
#define DUMPER_THREAD_STATE_H_

#include <csignal>
#include <vector>

#include "base/result.h"
#include "dumper/thread_facts.h"
#include "formats/proto/task.pb.h"
#include "process/tracee.h"

namespace ckpt {

// Fills all of `core` but tc and ids. Pure. kUnsupported: the thread has extended state that the
// format cannot hold.
Result<> FillThread(const ThreadFacts& facts, pb::core_entry* core);

// The pending signals as images have them: raw siginfo_t.
void FillPendingSignals(const std::vector<siginfo_t>& signals, pb::signal_queue_entry* entry);
Result<> FillPendingSignals(const Tracee& thread, Tracee::Queue queue,
                            pb::signal_queue_entry* entry);

}  // namespace ckpt

#endif  // DUMPER_THREAD_STATE_H_
