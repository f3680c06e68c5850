#include "restorer/process_groups.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "restorer/findings.h"

namespace ckpt {

namespace {

bool LeadsSession(const TaskPlan& task) { return task.sid == task.pid; }

Result<> SetGroup(RestoredTask& task) {
  const pid_t group = task.plan->pgid;
  if (task.group == group) return success();
  RemoteCalls calls = task.Calls();
  CKPT_TRY(calls.Call(fmt::format("setpgid(0, {})", group), SYS_setpgid, {0, group}));
  task.group = group;
  return calls.Flush();
}

}  // namespace

void TakeOverOutsideSession(RestorePlan& plan) {
  const TaskPlan root = plan.tasks.front();
  if (LeadsSession(root)) return;
  const bool leads_group = root.pgid == root.pid;
  for (TaskPlan& task : plan.tasks) {
    if (task.sid != root.sid) continue;
    task.sid = 0;
    if (task.pgid == root.pgid && !leads_group) task.pgid = 0;
  }
}

Result<> CheckSessions(const RestorePlan& plan, bool is_shell_job) {
  Findings findings;
  for (const TaskPlan& task : plan.tasks) {
    if (!LeadsSession(task) || task.pgid == task.pid) continue;
    findings.BadFormat("pstree.img: process {} leads a session, but is in the process group {}",
                       task.pid, task.pgid);
  }
  const TaskPlan& root = plan.tasks.front();
  if (!is_shell_job && !LeadsSession(root) && root.sid != getsid(0)) {
    findings.Unsupported(
        "pstree.img: process {} is in session {}, whose leader is not in the dump, and the "
        "restorer is in session {} (--shell-job takes that)",
        root.pid, root.sid, getsid(0));
  }
  return findings.AsResult();
}

Result<> LeadGroup(RestoredTask& task) {
  const TaskPlan& plan = *task.plan;
  return plan.pgid == plan.pid && !LeadsSession(plan) ? SetGroup(task) : success();
}

Result<> JoinGroup(RestoredTask& task) {
  const TaskPlan& plan = *task.plan;
  return plan.pgid != plan.pid && plan.pgid != 0 ? SetGroup(task) : success();
}

}  // namespace ckpt
