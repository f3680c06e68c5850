// Whether the sessions and process groups of a tree are its own.
#ifndef DUMPER_SESSIONS_H_
#define DUMPER_SESSIONS_H_

#include <sys/types.h>

#include <functional>
#include <span>

#include "dumper/refusals.h"

namespace ckpt {

// Numbers are the dumper's; 0 where its PID namespace has none for it.
struct SessionMember {
  pid_t pid = 0;
  pid_t session = 0;
  pid_t group = 0;
  // The same is in the PID namespace of the process, where 0 means that images have no number.
  bool has_own_numbers = true;
};

// `tasks` has the root first. Adds to `refusals` each task whose session or process group has a
// leader that lives (`is_process` says so) outside the tree. Leaders that have ended are no
// obstacle: a restorer makes helpers. A shell job (--shell-job) may be of the session and the group
// of those who started it, as its root is: a restorer has its own instead.
void CheckSessions(std::span<const SessionMember> tasks, bool shell_job,
                   const std::function<bool(pid_t)>& is_process, Refusals& refusals);

}  // namespace ckpt

#endif  // DUMPER_SESSIONS_H_
