// The plan of sockets of the UNIX family: connected pairs and what is queued in them.
#ifndef RESTORER_UNIX_SOCKET_PLAN_H_
#define RESTORER_UNIX_SOCKET_PLAN_H_

#include "formats/proto/sockets_unix.pb.h"
#include "restorer/dump_images.h"
#include "restorer/findings.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// Fills `file`, but its id and place, and adds the socket to the plan. What is more than one end of
// a pair, or one that is not connected, is a finding.
void PlanUnixSocket(const pb::unix_sk_entry& entry, FilePlan& file, RestorePlan& plan,
                    Findings& findings);

// After the last use: gives sockets their peers, by the inodes of all entries of `images`, and what
// is queued in them.
void ConnectUnixSockets(const DumpImages& images, RestorePlan& plan, Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_UNIX_SOCKET_PLAN_H_
