// The plan of terminals: those from outside of the dump, in whose place comes the restorer's.
#ifndef RESTORER_TTY_PLAN_H_
#define RESTORER_TTY_PLAN_H_

#include "formats/proto/tty.pb.h"
#include "restorer/dump_images.h"
#include "restorer/findings.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// Fills `file`, but its id and place.
void PlanTerminalFile(const pb::tty_file_entry& entry, FilePlan& file);

// After the last task: adds the terminals in use to the plan, and has those who led a session with
// one take it.
void PlanTerminals(const DumpImages& images, RestorePlan& plan, Findings& findings);

// Whether the plan needs a terminal that only a shell job is given.
Result<> CheckTerminals(const RestorePlan& plan, bool is_shell_job);

}  // namespace ckpt

#endif  // RESTORER_TTY_PLAN_H_
