#include "process/task_list.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <future>
#include <thread>

#include "process/child_for_test.h"

namespace ckpt {
namespace {

TEST(TaskListTest, ChildrenAreNumbersWithSpacesBetween) {
  EXPECT_EQ(ParseChildren("").value(), std::vector<pid_t>());
  EXPECT_EQ(ParseChildren("12 7 300 ").value(), (std::vector<pid_t>{12, 7, 300}));
  EXPECT_EQ(ParseChildren("12 x").error().message, "found \"x\", expected a pid");
  EXPECT_EQ(ParseChildren("4294967296").error().message, "found \"4294967296\", expected a pid");
}

TEST(TaskListTest, EveryThreadIsListed) {
  std::promise<pid_t> started;
  std::promise<void> finish;
  std::thread thread([&] {
    started.set_value(gettid());
    finish.get_future().wait();
  });
  const pid_t tid = started.get_future().get();
  const auto tids = ListThreads(getpid());
  finish.set_value();
  thread.join();
  ASSERT_TRUE(tids.has_value()) << tids.error().message;
  EXPECT_EQ(tids.value(), (std::vector<pid_t>{std::min(getpid(), tid), std::max(getpid(), tid)}));
}

int WaitForever(const std::function<void()>& ready) {
  ready();
  while (true) pause();
}

TEST(TaskListTest, ChildrenOfEveryThreadAreListed) {
  const ChildForTest first(WaitForever);
  std::promise<pid_t> started;
  std::promise<void> finish;
  std::thread thread([&] {
    const ChildForTest second(WaitForever);
    started.set_value(second.pid());
    finish.get_future().wait();
  });
  const pid_t second = started.get_future().get();
  const auto children = ListChildren(getpid());
  finish.set_value();
  thread.join();
  ASSERT_TRUE(children.has_value()) << children.error().message;
  EXPECT_EQ(children.value(),
            (std::vector<pid_t>{std::min(first.pid(), second), std::max(first.pid(), second)}));
}

TEST(TaskListTest, AMissingProcessIsNotFound) {
  EXPECT_EQ(ListThreads(4194304).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ListChildren(4194304).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
