// Steps of a restore that give a process what its threads share and no privilege guards.
#ifndef RESTORER_PROCESS_STATE_H_
#define RESTORER_PROCESS_STATE_H_

#include "base/result.h"
#include "restorer/restored_task.h"

namespace ckpt {

// Signal handlers, personality, subreaper, membarrier registrations, oom_score_adj.
Result<> SetProcessState(RestoredTask& task);

// Resource limits, those that differ. A limit that needs more privilege is named.
Result<> SetLimits(RestoredTask& task);

// Queues the pending signals of the process and of its threads again. The last remote calls: each
// is made by itself, because a batch ends with a signal.
Result<> QueuePendingSignals(RestoredTask& task);

}  // namespace ckpt

#endif  // RESTORER_PROCESS_STATE_H_
