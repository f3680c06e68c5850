// Steps of a restore that make threads and give each what is its own.
#ifndef RESTORER_THREAD_STATE_H_
#define RESTORER_THREAD_STATE_H_

#include "base/result.h"
#include "restorer/restored_task.h"

namespace ckpt {

// Before anything is made: whether this processor can hold the registers.
Result<> CheckRegisters(const ThreadPlan& plan);

// Has the leader make the other threads, with their numbers.
Result<> MakeThreads(RestoredTask& task);

// Alternate stacks, robust lists, restartable sequences, scheduling, names.
Result<> SetThreadStates(RestoredTask& task);

// Registers and signal masks, by ptrace. No remote call can be made of a thread other than the
// leader afterwards.
Result<> SetRegisters(RestoredTask& task);

// The critical sections that threads were in (struct rseq, field rseq_cs), which the kernel clears
// whenever a thread runs outside of them. The last write of a restore.
Result<> SetCriticalSections(RestoredTask& task);

}  // namespace ckpt

#endif  // RESTORER_THREAD_STATE_H_
