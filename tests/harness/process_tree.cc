#include "tests/harness/process_tree.h"

#include <errno.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <sstream>

#include "base/file.h"

namespace ckpt {

Result<std::vector<pid_t>> ProcessTree(pid_t root, const std::string& procfs) {
  std::vector<pid_t> tree = {root};
  for (size_t i = 0; i < tree.size(); ++i) {
    const std::string tasks = fmt::format("{}/{}/task", procfs, tree[i]);
    CKPT_TRY(const std::vector<std::string> tids, ListDirectory(tasks));
    for (const std::string& tid : tids) {
      CKPT_TRY(const std::string text, ReadWholeFile(fmt::format("{}/{}/children", tasks, tid)));
      std::istringstream children(text);
      for (pid_t child = 0; children >> child;) tree.push_back(child);
    }
  }
  return tree;
}

void ReapDescendants(std::span<const pid_t> tree) {
  // Parents are waited for before their children, so that none is on its way to us any more.
  for (const pid_t pid : tree.subspan(1)) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

}  // namespace ckpt
