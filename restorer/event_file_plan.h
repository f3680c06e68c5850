// The plan of files that tell of events: eventfd, signalfd, timerfd, epoll.
#ifndef RESTORER_EVENT_FILE_PLAN_H_
#define RESTORER_EVENT_FILE_PLAN_H_

#include "formats/proto/files.pb.h"
#include "restorer/findings.h"
#include "restorer/restore_plan.h"

namespace ckpt {

bool IsEventFile(pb::fd_types type);

// Fills `file`, but its id and place. False when `entry` is not of these kinds, or holds no message
// of its type.
bool PlanEventFile(const pb::file_entry& entry, FilePlan& file);

// After the last task: has the first task that an epoll is open in set its watches. A descriptor
// that is watched and that this task does not have is a finding.
void PlanEpolls(RestorePlan& plan, Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_EVENT_FILE_PLAN_H_
