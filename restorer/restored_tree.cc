#include "restorer/restored_tree.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace ckpt {

RestoredTree::RestoredTree() {
  prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper_, 0, 0, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

// First those whom others made, as their tracer: the first process of a pid namespace waits for all
// in it to be reaped. Then, from the root down, those that came to us as orphans.
RestoredTree::~RestoredTree() {
  for (const pid_t pid : pids_) kill(pid, SIGKILL);
  while (!tasks_.empty()) tasks_.pop_back();
  for (const pid_t pid : pids_) {
    while (waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  }
  prctl(PR_SET_CHILD_SUBREAPER, was_subreaper_, 0, 0, 0);
}

RestoredTask& RestoredTree::Add(RestoredTask task) {
  pids_.push_back(task.stub.pid());
  tasks_.push_back(std::make_unique<RestoredTask>(std::move(task)));
  return *tasks_.back();
}

Result<> RestoredTree::EndHelper(RestoredTask& helper) {
  const pid_t pid = helper.stub.pid();
  helper.stub.Kill();
  helper.stub.AwaitEnd();
  RemoteCalls calls = helper.parent->Calls();
  CKPT_TRY(calls.Call(fmt::format("wait4({})", helper.plan->pid), SYS_wait4,
                      {helper.plan->pid, 0, __WALL, 0}));
  CKPT_TRY(calls.Flush());
  std::erase(pids_, pid);
  return success();
}

}  // namespace ckpt
