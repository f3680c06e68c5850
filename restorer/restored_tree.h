// The processes of a restore under way: all of them go on in the end, or none is left.
#ifndef RESTORER_RESTORED_TREE_H_
#define RESTORER_RESTORED_TREE_H_

#include <sys/types.h>

#include <memory>
#include <vector>

#include "restorer/restored_task.h"

namespace ckpt {

class RestoredTree {
 public:
  // Takes over the orphans of our descendants, to be able to reap them.
  RestoredTree();
  RestoredTree(const RestoredTree&) = delete;
  RestoredTree& operator=(const RestoredTree&) = delete;
  // Kills and reaps every process that was added, unless LetGo() was called.
  ~RestoredTree();

  // Makers come before whom they make.
  RestoredTask& Add(RestoredTask task);

  std::vector<std::unique_ptr<RestoredTask>>& tasks() { return tasks_; }
  const std::vector<std::unique_ptr<RestoredTask>>& tasks() const { return tasks_; }
  RestoredTask& root() { return *tasks_.front(); }

  // Ends a helper, which its parent then has reaped.
  Result<> EndHelper(RestoredTask& helper);

  // All run by themselves: nothing is ours any more.
  void LetGo() { pids_.clear(); }

 private:
  int was_subreaper_ = 0;
  std::vector<pid_t> pids_;  // of those that can be there still, as we see them, makers first
  std::vector<std::unique_ptr<RestoredTask>> tasks_;
};

}  // namespace ckpt

#endif  // RESTORER_RESTORED_TREE_H_
