#include "restorer/description_plan.h"

#include <fcntl.h>

namespace ckpt {

namespace {

// O_NOCTTY is one of them, but is wanted whenever we open.
constexpr int kOpeningFlags = O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC;

}  // namespace

int OpenFlags(uint32_t flags) { return static_cast<int>(flags) & ~kOpeningFlags; }

std::optional<FileOwnerPlan> PlanOwner(const pb::fown_entry& entry) {
  if (entry.pid() == 0 && entry.signum() == 0) return std::nullopt;
  return FileOwnerPlan{.signal = static_cast<int>(entry.signum()),
                       .pid_type = static_cast<int>(entry.pid_type()),
                       .pid = static_cast<pid_t>(entry.pid()),
                       .uid = entry.uid(),
                       .euid = entry.euid()};
}

}  // namespace ckpt
