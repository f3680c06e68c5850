// Restartable sequences of a stopped thread: where it is registered, and leaving a critical
// section.
#ifndef PROCESS_RSEQ_SECTION_H_
#define PROCESS_RSEQ_SECTION_H_

#include "base/result.h"
#include "process/remote_memory.h"
#include "process/tracee.h"

namespace ckpt {

// A thread that was stopped inside a critical section goes on at its abort handler, as after any
// preemption: the kernel would see to it on the way back to user mode, but only if the thread went
// there with the registers that it has now. Called before anything is run in the thread.
// Source: rseq_ip_fixup in kernel/rseq.c.
Result<> AbortRseqSection(const Tracee& thread, const RemoteMemory& memory,
                          const RseqConfiguration& configuration);

}  // namespace ckpt

#endif  // PROCESS_RSEQ_SECTION_H_
