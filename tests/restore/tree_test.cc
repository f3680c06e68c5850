// What a restore of a tree leaves behind when it fails anywhere, and what processes of a restored
// tree have in common.
#include <gmock/gmock.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "base/file.h"
#include "restorer/restore.h"
#include "tests/harness/process_tree.h"
#include "tests/harness/subject.h"
#include "tests/restore/dumped_subject.h"

namespace ckpt {
namespace {

// All processes of this namespace, the dead too.
std::vector<std::string> Processes() {
  std::vector<std::string> names = ListDirectory("/proc").value();
  std::erase_if(names, [](const std::string& name) { return !isdigit(name.front()); });
  std::ranges::sort(names);
  return names;
}

class RestoreTreeTest : public testing::TestWithParam<std::string> {};

// Restores with the step number `failing` failing; whether there was such a step.
bool ExpectCleanFailureAt(int failing, const DumpedSubject& dumped) {
  RestoreOptions options;
  options.images_dir = dumped.images;
  options.pidfile = dumped.pidfile;
  int number = 0;
  std::string failed;
  options.before_step = [&](std::string_view step) -> Result<> {
    if (number++ != failing) return success();
    failed = step;
    return MakeError(ErrorCode::kSystem, "failed for the test");
  };
  const std::vector<std::string> processes = Processes();
  const std::vector<std::string> descriptors = OpenDescriptors();
  Log log;
  const Result<pid_t> restored = Restore(options, log);
  SCOPED_TRACE(fmt::format("step {}: {}", failing, failed));
  if (failed.empty()) {
    EXPECT_TRUE(restored.has_value()) << restored.error().message;
    return false;
  }
  EXPECT_TRUE(restored.has_error());
  if (restored.has_error()) {
    EXPECT_THAT(restored.error().message, testing::EndsWith("failed for the test"));
  }
  EXPECT_EQ(Processes(), processes);
  EXPECT_EQ(OpenDescriptors(), descriptors);
  EXPECT_FALSE(Exists(dumped.pidfile));
  return true;
}

TEST_P(RestoreTreeTest, AFailureAtAnyStepLeavesNothingBehind) {
  const Result<DumpedSubject> dumped =
      DumpSubject(GetParam(), fmt::format("tree_faults_{}", GetParam()));
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  int failing = 0;
  while (ExpectCleanFailureAt(failing, dumped.value()) && !HasFailure()) ++failing;
  EXPECT_GT(failing, static_cast<int>(dumped.value().tree.size()));
  EXPECT_EQ(VerdictOf(dumped.value()), "pass");
  ReapDescendants(dumped.value().tree);
}

INSTANTIATE_TEST_SUITE_P(Programs, RestoreTreeTest,
                         testing::Values("dead_leaders", "shared_table", "stopped_child", "tree",
                                         "zombies"),
                         [](const auto& program) { return program.param; });

// A child with this number, which waits to be killed.
void Occupy(pid_t pid) {
  clone_args args{};
  args.exit_signal = SIGCHLD;
  args.set_tid = reinterpret_cast<uint64_t>(&pid);
  args.set_tid_size = 1;
  const long made = syscall(SYS_clone3, &args, sizeof(args));
  ASSERT_GE(made, 0);
  while (made == 0) pause();
}

TEST(RestoreTest, AllNumbersOfATreeThatAreInUseAreNamedAndNothingIsMade) {
  const Result<DumpedSubject> dumped = DumpSubject("tree", "tree_in_use");
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  ASSERT_GE(dumped.value().tree.size(), 3U);
  const pid_t first = dumped.value().tree[1], second = dumped.value().tree.back();
  Occupy(first);
  Occupy(second);
  const std::vector<std::string> processes = Processes();
  Log log;
  const Result<pid_t> restored = Restore({.images_dir = dumped.value().images}, log);
  ASSERT_TRUE(restored.has_error());
  for (const pid_t pid : {first, second}) {
    EXPECT_THAT(
        restored.error().message,
        testing::HasSubstr(fmt::format("pid {} is in use: the process cannot have it again", pid)));
  }
  EXPECT_EQ(Processes(), processes);
  for (const pid_t pid : {first, second}) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
}

// The number of a thread that no process of the dump has.
pid_t ThreadOf(const DumpedSubject& dumped) {
  const std::vector<std::string> images = ListDirectory(dumped.images).value();
  for (const std::string& image : images) {
    pid_t number = 0;
    if (sscanf(image.c_str(), "core-%d.img", &number) == 1 && number != dumped.pid) return number;
  }
  return 0;
}

TEST(RestoreTest, TheNumberOfAThreadThatIsInUseIsNamedAndNothingIsMade) {
  const Result<DumpedSubject> dumped = DumpSubject("threads", "thread_in_use");
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const pid_t thread = ThreadOf(dumped.value());
  Occupy(thread);
  const std::vector<std::string> processes = Processes();
  Log log;
  const Result<pid_t> restored = Restore({.images_dir = dumped.value().images}, log);
  ASSERT_TRUE(restored.has_error());
  EXPECT_EQ(restored.error().message,
            fmt::format("pid {} is in use: the process cannot have it again", thread));
  EXPECT_EQ(Processes(), processes);
  kill(thread, SIGKILL);
  waitpid(thread, nullptr, 0);
}

TEST(RestoreTest, PagesThatForkHadCopiedAreOnceInMemory) {
  const Result<DumpedSubject> dumped = DumpSubject("copied_memory", "tree_copied");
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  Log log;
  const Result<pid_t> restored = Restore({.images_dir = dumped.value().images}, log);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  ASSERT_EQ(dumped.value().tree.size(), dumped.value().shared_kib.size());
  for (size_t i = 0; i < dumped.value().tree.size(); ++i) {
    const long before = dumped.value().shared_kib[i];
    EXPECT_GT(before, 128);
    EXPECT_GE(SharedKib(dumped.value().tree[i]).value(), before * 9 / 10);
  }
  EXPECT_EQ(VerdictOf(dumped.value()), "pass");
  ReapDescendants(dumped.value().tree);
}

}  // namespace
}  // namespace ckpt
