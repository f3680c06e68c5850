// The plan of a thread, from its core image.
#ifndef RESTORER_THREAD_PLAN_H_
#define RESTORER_THREAD_PLAN_H_

#include <string_view>
#include <vector>

#include "formats/proto/signals.pb.h"
#include "formats/proto/task.pb.h"
#include "restorer/findings.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// `tid` is the number in the name of the image. What is wrong or unsupported goes to `findings`;
// the plan is of use only when there are none.
ThreadPlan PlanThread(const pb::core_entry& core, uint32_t tid, Findings& findings);

// Pending signals; `place` names their owner.
std::vector<SignalInfo> PlanPendingSignals(const pb::signal_queue_entry& queue,
                                           std::string_view place, Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_THREAD_PLAN_H_
