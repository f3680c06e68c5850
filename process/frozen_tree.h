// A process and all its descendants, stopped under ptrace, and let go again.
#ifndef PROCESS_FROZEN_TREE_H_
#define PROCESS_FROZEN_TREE_H_

#include <sys/types.h>

#include <optional>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "process/frozen_process.h"
#include "process/task_stat.h"

namespace ckpt {

// Numbers are those of the caller's PID namespace.
struct FrozenTask {
  pid_t pid = 0;
  pid_t ppid = 0;  // 0: the root of the tree, whoever its parent is
  // Nothing: a zombie.
  std::optional<FrozenProcess> process;
};

// The destructor thaws.
class FrozenTree {
 public:
  // Stops every process from the root on, and lists children of stopped ones until there are no new
  // ones: tasks that fork, end, or lose their parent to another of the tree meanwhile are found.
  // Errors are those of FrozenProcess::Freeze(); a descendant that ends meanwhile is none.
  static Result<FrozenTree> Freeze(pid_t root);

  // Parents come before their children.
  std::vector<FrozenTask>& tasks() { return tasks_; }
  const std::vector<FrozenTask>& tasks() const { return tasks_; }
  FrozenProcess& root() { return *tasks_.front().process; }

  // Lets all run on; what was stopped stays so.
  Result<> Thaw();
  // Ends every process by SIGKILL and waits until they are gone.
  Result<> Kill();
  // Leaves every process stopped by SIGSTOP.
  Result<> ThawIntoStop();

 private:
  struct Listed {
    pid_t pid = 0;
    pid_t ppid = 0;
  };

  FrozenTree() = default;
  Result<> FreezeAll(std::vector<Listed> found);
  Result<> FreezeSideBySide(const std::vector<Listed>& found);
  Result<> Add(const Listed& listed, Result<FrozenProcess> process);
  Result<std::vector<Listed>> ListNewChildren(size_t first_task) const;

  std::vector<FrozenTask> tasks_;
  std::unordered_set<pid_t> known_;
};

// The processes of a running tree, the root first: those that are there at the moment.
std::vector<pid_t> ListTree(pid_t root);

}  // namespace ckpt

#endif  // PROCESS_FROZEN_TREE_H_
