#include "restorer/free_ids.h"

#include <cerrno>
#include <csignal>
#include <string>

namespace ckpt {

std::vector<pid_t> IdsOf(const RestorePlan& plan) {
  std::vector<pid_t> ids;
  for (const TaskPlan& task : plan.tasks) {
    ids.push_back(task.pid);
    for (size_t i = 1; i < task.threads.size(); ++i) ids.push_back(task.threads[i].tid);
  }
  return ids;
}

Result<> CheckUnused(std::span<const pid_t> ids) {
  std::string used;
  for (const pid_t id : ids) {
    // kill(2) finds threads by their number, too.
    if (kill(id, 0) < 0 && errno == ESRCH) continue;
    if (!used.empty()) used += '\n';
    used += fmt::format("pid {} is in use: the process cannot have it again", id);
  }
  if (used.empty()) return success();
  return Error{ErrorCode::kSystem, std::move(used)};
}

}  // namespace ckpt
