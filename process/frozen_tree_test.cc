#include "process/frozen_tree.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "process/child_for_test.h"
#include "process/task_list.h"
#include "process/task_stat.h"
#include "process/task_status.h"

namespace ckpt {
namespace {

char StateOf(pid_t pid) { return ReadTaskStat(pid).value().state; }

// Has children until `depth` generations are there, `width` each, and waits.
void HaveDescendants(int depth, int width) {
  for (int i = 0; depth > 0 && i < width; ++i) {
    if (fork() == 0) {
      close_range(3, ~0U, 0);  // by which the test is told that the root is ready
      HaveDescendants(depth - 1, width);
      while (true) pause();
    }
  }
}

// Where the tree is left to itself, its root must not leave it behind.
class DescendantsEnd {
 public:
  explicit DescendantsEnd(pid_t root) : root_(root) {}
  DescendantsEnd(const DescendantsEnd&) = delete;
  DescendantsEnd& operator=(const DescendantsEnd&) = delete;
  ~DescendantsEnd() {
    // Some may have been made meanwhile.
    for (size_t count = 2; count > 1;) {
      kill(root_, SIGSTOP);
      const std::vector<pid_t> tree = ListTree(root_);
      count = 0;
      for (const pid_t pid : tree) {
        const Result<TaskStat> stat = ReadTaskStat(pid);
        if (stat.has_error() || stat.value().state == 'Z') continue;
        ++count;
        if (pid != root_) kill(pid, SIGKILL);
      }
    }
  }

 private:
  pid_t root_;
};

void AwaitTreeOf(pid_t root, size_t count) {
  while (ListTree(root).size() < count) sched_yield();
}

TEST(FrozenTreeTest, EveryGenerationIsStoppedParentsFirstAndRunsOnAfterwards) {
  ChildForTest child([](const auto& ready) {
    HaveDescendants(3, 3);
    ready();
    return pause();
  });
  const DescendantsEnd end(child.pid());
  AwaitTreeOf(child.pid(), 40);
  {
    auto tree = FrozenTree::Freeze(child.pid()).value();
    ASSERT_EQ(tree.tasks().size(), 40U);
    EXPECT_EQ(tree.tasks().front().pid, child.pid());
    std::map<pid_t, pid_t> parents;
    for (const FrozenTask& task : tree.tasks()) {
      EXPECT_EQ(StateOf(task.pid), 't');
      EXPECT_TRUE(task.ppid == 0 || parents.contains(task.ppid));
      parents[task.pid] = task.ppid;
      if (task.ppid == 0) continue;
      EXPECT_EQ(ReadTaskStat(task.pid).value().ppid, task.ppid);
    }
    EXPECT_TRUE(tree.Thaw().has_value());
  }
  for (const pid_t pid : ListTree(child.pid())) {
    EXPECT_EQ(ReadTaskStatus(pid).value().tracer_pid, 0);
  }
}

TEST(FrozenTreeTest, ATreeThatIsDroppedRunsOn) {
  ChildForTest child([](const auto& ready) {
    HaveDescendants(1, 5);
    ready();
    return pause();
  });
  const DescendantsEnd end(child.pid());
  static_cast<void>(FrozenTree::Freeze(child.pid()).value());
  for (const pid_t pid : ListTree(child.pid())) {
    EXPECT_EQ(ReadTaskStatus(pid).value().tracer_pid, 0);
  }
}

TEST(FrozenTreeTest, AZombieIsOfTheTreeAndStaysOne) {
  ChildForTest child([](const auto& ready) {
    if (fork() == 0) _exit(42);
    siginfo_t info{};
    waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
    ready();
    return pause();
  });
  auto tree = FrozenTree::Freeze(child.pid()).value();
  ASSERT_EQ(tree.tasks().size(), 2U);
  EXPECT_FALSE(tree.tasks()[1].process.has_value());
  EXPECT_EQ(tree.tasks()[1].ppid, child.pid());
  EXPECT_TRUE(tree.Thaw().has_value());
  EXPECT_EQ(StateOf(ListChildren(child.pid()).value().at(0)), 'Z');
}

// Forks, and lets the child fork and end, so that grandchildren come to the root, which reaps.
int ForkWithoutEnd(const std::function<void()>& ready) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  ready();
  while (true) {
    const pid_t child = fork();
    if (child == 0) {
      if (fork() == 0) {
        if (fork() == 0) _exit(0);
        sched_yield();
      }
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
}

TEST(FrozenTreeTest, ATreeThatForksAndEndsAllTheTimeIsCaughtWhole) {
  ChildForTest child(ForkWithoutEnd);
  const DescendantsEnd end(child.pid());
  size_t caught = 0;
  for (int round = 0; round < 300; ++round) {
    auto frozen = FrozenTree::Freeze(child.pid());
    ASSERT_TRUE(frozen.has_value()) << frozen.error().message;
    std::set<pid_t> known;
    for (const FrozenTask& task : frozen.value().tasks()) known.insert(task.pid);
    EXPECT_EQ(known.size(), frozen.value().tasks().size());
    const std::vector<pid_t> listed = ListTree(child.pid());
    EXPECT_EQ(std::set<pid_t>(listed.begin(), listed.end()), known);
    caught += known.size() - 1;
  }
  EXPECT_GT(caught, 0U);
}

TEST(FrozenTreeTest, AParentThatWaitsForAChildOfVforkIsRefusedAndLeftAlone) {
  ChildForTest child([](const auto& ready) {
    ready();
    if (vfork() == 0) {
      while (true) pause();
    }
    return 0;
  });
  AwaitTreeOf(child.pid(), 2);
  const pid_t of_vfork = ListChildren(child.pid()).value().at(0);
  const auto frozen = FrozenTree::Freeze(child.pid());
  kill(of_vfork, SIGKILL);
  ASSERT_TRUE(frozen.has_error());
  EXPECT_EQ(frozen.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(frozen.error().message,
            fmt::format("thread {} does not stop: it waits in the kernel, or for a child of vfork",
                        child.pid()));
}

TEST(FrozenTreeTest, KillEndsAll) {
  ChildForTest child([](const auto& ready) {
    HaveDescendants(2, 3);
    ready();
    return pause();
  });
  AwaitTreeOf(child.pid(), 13);
  auto tree = FrozenTree::Freeze(child.pid()).value();
  std::vector<pid_t> pids;
  for (const FrozenTask& task : tree.tasks()) pids.push_back(task.pid);
  EXPECT_TRUE(tree.Kill().has_value());
  for (const pid_t pid : pids) {
    const Result<TaskStat> stat = ReadTaskStat(pid);
    EXPECT_TRUE(stat.has_error() || stat.value().state == 'Z') << pid;
  }
}

TEST(FrozenTreeTest, AllCanBeLeftStopped) {
  ChildForTest child([](const auto& ready) {
    HaveDescendants(1, 3);
    ready();
    return pause();
  });
  const DescendantsEnd end(child.pid());
  auto tree = FrozenTree::Freeze(child.pid()).value();
  EXPECT_TRUE(tree.ThawIntoStop().has_value());
  for (const pid_t pid : ListTree(child.pid())) {
    while (StateOf(pid) != 'T') sched_yield();
  }
  kill(child.pid(), SIGCONT);
}

TEST(FrozenTreeTest, ARootThatIsNotThereIsNotFound) {
  EXPECT_EQ(FrozenTree::Freeze(0x3ffffff).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
