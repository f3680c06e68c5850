#include "restorer/free_ids.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace ckpt {
namespace {

// A number that was free a moment ago.
pid_t FreePid() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  return child;
}

TEST(FreeIdsTest, AllNumbersInUseAreNamed) {
  const std::array ids = {getpid(), FreePid(), getppid()};
  const Result<> checked = CheckUnused(ids);
  ASSERT_TRUE(checked.has_error());
  EXPECT_EQ(checked.error().code, ErrorCode::kSystem);
  EXPECT_EQ(checked.error().message,
            fmt::format("pid {} is in use: the process cannot have it again\n"
                        "pid {} is in use: the process cannot have it again",
                        getpid(), getppid()));
}

TEST(FreeIdsTest, NumbersThatNobodyHasAreFree) {
  const std::array ids = {FreePid()};
  EXPECT_TRUE(CheckUnused(ids).has_value());
}

TEST(FreeIdsTest, ThreadsHaveNumbersToo) {
  RestorePlan plan;
  plan.tasks.resize(2);
  plan.tasks[0].pid = 5;
  plan.tasks[1].pid = 9;
  plan.tasks[0].threads.resize(2);
  plan.tasks[0].threads[0].tid = 5;
  plan.tasks[0].threads[1].tid = 6;
  plan.tasks[1].threads.resize(1);
  plan.tasks[1].threads[0].tid = 9;
  EXPECT_EQ(IdsOf(plan), (std::vector<pid_t>{5, 6, 9}));
}

}  // namespace
}  // namespace ckpt
