// A whole restore: from a dump on disk to a running process, or to nothing at all.
#ifndef RESTORER_RESTORE_H_
#define RESTORER_RESTORE_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "restorer/cgroup_plan.h"
#include "restorer/mount_plan.h"

namespace ckpt {

struct RestoreOptions {
  std::string images_dir = ".";
  // Where the paths of the dump begin; empty: at the restorer's root, and processes that had theirs
  // at "/" share it.
  std::string root = {};
  ExternalMounts external_mounts = {};
  CgroupOptions cgroups = CgroupOptions();
  // The terminal, the session and the group that the first process had from outside of the dump are
  // the restorer's now.
  bool shell_job = false;
  // Is written, with the pid, when the process is complete; empty: none.
  std::string pidfile = {};

  // For tests. What is called with the name of each step before it is made: an error is as if the
  // step had failed.
  std::function<Result<>(std::string_view step)> before_step = {};
  // For tests. Act as a kernel before 6.16, which cannot be told the ids of timers.
  bool counts_timer_ids = false;
};

// The names of all steps, in order. Those that a tree is made by (kTreeSteps of make_tree.h) come
// in between, as often as there are processes.
std::vector<std::string_view> RestoreStepNames();

// Restores the dump; the pid of the process, which runs by itself, as a child of ours. After an
// error there is no process, nor a pidfile. Must be called and stay on one thread: it traces.
Result<pid_t> Restore(const RestoreOptions& options, Log& log);

}  // namespace ckpt

#endif  // RESTORER_RESTORE_H_
