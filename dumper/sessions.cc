#include "dumper/sessions.h"

#include <string_view>
#include <unordered_set>

namespace ckpt {

void CheckSessions(std::span<const SessionMember> tasks, bool shell_job,
                   const std::function<bool(pid_t)>& is_process, Refusals& refusals) {
  std::unordered_set<pid_t> inside;
  for (const SessionMember& task : tasks) inside.insert(task.pid);
  const auto check = [&](std::string_view what, pid_t leader, pid_t leader_of_root) {
    if (inside.contains(leader)) return;
    if (shell_job && leader == leader_of_root) return;
    if (leader != leader_of_root && !is_process(leader)) return;
    refusals.Add("it is in {} {}, whose leader is outside the tree{}", what, leader,
                 leader == leader_of_root ? " (see --shell-job)" : "");
  };
  for (const SessionMember& task : tasks) {
    refusals.SetProcess(task.pid);
    if (!task.has_own_numbers) {
      refusals.Add("its session or process group is not of its PID namespace");
      continue;
    }
    check("session", task.session, tasks.front().session);
    check("process group", task.group, tasks.front().group);
  }
}

}  // namespace ckpt
