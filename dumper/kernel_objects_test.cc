#include "dumper/kernel_objects.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "process/child_for_test.h"

namespace ckpt {
namespace {

int Pause(const std::function<void()>& ready) {
  ready();
  return pause();
}

TEST(KernelObjectsTest, ProcessesThatShareNothingHaveIdsOfTheirOwn) {
  std::vector<std::unique_ptr<ChildForTest>> children;
  KernelObjects objects;
  Refusals refusals;
  for (uint32_t i = 0; i < 20; ++i) {
    children.push_back(std::make_unique<ChildForTest>(Pause));
    pb::task_kobj_ids_entry ids;
    ASSERT_TRUE(objects.Identify(children.back()->pid(), &ids, refusals).has_value());
    EXPECT_EQ(ids.vm_id(), 2 + i);
    EXPECT_EQ(ids.files_id(), 2 + i);
    EXPECT_EQ(ids.fs_id(), 2 + i);
    EXPECT_EQ(ids.sighand_id(), 2 + i);
    EXPECT_TRUE(objects.descriptors_are_new());
  }
  EXPECT_TRUE(refusals.findings().empty());
}

// A process that is cloned from this one with `flags` and waits to be killed.
class Clone {
 public:
  explicit Clone(unsigned long flags)
      : pid_(static_cast<pid_t>(syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0))) {
    while (pid_ == 0) syscall(SYS_pause);
  }
  Clone(const Clone&) = delete;
  Clone& operator=(const Clone&) = delete;
  ~Clone() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST(KernelObjectsTest, WhatIsSharedHasOneId) {
  const Clone sharing(CLONE_FILES | CLONE_FS);
  KernelObjects objects;
  Refusals refusals;
  pb::task_kobj_ids_entry first;
  pb::task_kobj_ids_entry second;
  ASSERT_TRUE(objects.Identify(getpid(), &first, refusals).has_value());
  ASSERT_TRUE(objects.Identify(sharing.pid(), &second, refusals).has_value());
  EXPECT_EQ(second.files_id(), first.files_id());
  EXPECT_EQ(second.fs_id(), first.fs_id());
  EXPECT_NE(second.vm_id(), first.vm_id());
  EXPECT_NE(second.sighand_id(), first.sighand_id());
  EXPECT_FALSE(objects.descriptors_are_new());
  EXPECT_TRUE(refusals.findings().empty());
}

TEST(KernelObjectsTest, SharedMemoryIsRefused) {
  alignas(16) static char stack[64 * 1024];
  const auto wait = [](void*) { return pause(); };
  const int pid = clone(wait, stack + sizeof(stack), CLONE_VM | SIGCHLD, nullptr);
  ASSERT_GT(pid, 0);
  KernelObjects objects;
  Refusals refusals;
  pb::task_kobj_ids_entry ids;
  EXPECT_TRUE(objects.Identify(getpid(), &ids, refusals).has_value());
  EXPECT_TRUE(objects.Identify(pid, &ids, refusals).has_value());
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  ASSERT_EQ(refusals.findings().size(), 1U);
  EXPECT_EQ(
      refusals.findings()[0],
      fmt::format("it shares its memory with process {} (CLONE_VM): not supported", getpid()));
}

TEST(KernelObjectsTest, AProcessThatIsGoneIsAnError) {
  KernelObjects objects;
  Refusals refusals;
  pb::task_kobj_ids_entry ids;
  ASSERT_TRUE(objects.Identify(getpid(), &ids, refusals).has_value());
  const auto identified = objects.Identify(0x3ffffff, &ids, refusals);
  ASSERT_TRUE(identified.has_error());
  EXPECT_EQ(identified.error().code, ErrorCode::kProcessGone);
}

}  // namespace
}  // namespace ckpt
