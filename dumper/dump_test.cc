#include "dumper/dump.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "process/child_for_test.h"
#include "process/frozen_tree.h"
#include "process/task_list.h"
#include "process/task_status.h"

namespace ckpt {
namespace {

using testing::IsEmpty;

// A session of its own, with nothing open but /dev/null, that ends well when it gets SIGUSR1.
int BeDumpable(const std::function<void()>& ready) {
  setsid();
  const int null = open("/dev/null", O_RDWR);
  for (const int fd : {0, 1, 2}) dup2(null, fd);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  ready();
  close_range(3, ~0U, 0);
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

constexpr uid_t kSomeUser = 54321;
constexpr SnapshotLimits kAlways{.least_bytes = 0, .bytes_for_mapping = 0};

class DumpTest : public testing::Test {
 protected:
  DumpTest() : child_(BeDumpable) {
    std::filesystem::create_directories(directory_);
    options_.pid = child_.pid();
    options_.images_directory = directory_;
    options_.after = AfterDump::kLeaveRunning;
    options_.features = DetectKernelFeatures();
    // It closes its descriptors after it is ready: wait until it has.
    while (ListDirectory(fmt::format("/proc/{}/fd", child_.pid())).value().size() > 3) {
    }
  }
  ~DumpTest() override { std::filesystem::remove_all(directory_); }

  void ExpectRunningAsBefore() {
    EXPECT_EQ(ReadTaskStatus(child_.pid()).value().tracer_pid, 0);
    EXPECT_EQ(Maps(), maps_);
    EXPECT_THAT(ListChildren(child_.pid()).value(), IsEmpty());
    kill(child_.pid(), SIGUSR1);
    EXPECT_EQ(child_.Wait(), 0);
  }
  std::vector<std::string> Names() const { return ListDirectory(directory_).value(); }
  std::string Image(const std::string& name) const {
    return ReadWholeFile(directory_ + "/" + name).value();
  }
  std::string Maps() const {
    return ReadWholeFile(fmt::format("/proc/{}/maps", child_.pid())).value();
  }

  const std::string directory_ = testing::TempDir() + "/dump_test";
  ChildForTest child_;
  const std::string maps_ = Maps();
  DumpOptions options_;
  Log log_;
};

TEST_F(DumpTest, AFailureBeforeAnyStepLeavesTheProcessRunningAndNoFile) {
  for (const std::string_view failing : kDumpSteps) {
    if (failing == "release") continue;  // the dump is whole by then
    options_.snapshots = kAlways;
    std::vector<std::string_view> taken;
    options_.before_step = [&](std::string_view step) -> Result<> {
      taken.push_back(step);
      if (step == failing) return MakeError(ErrorCode::kSystem, "no {}", step);
      return success();
    };
    const auto dumped = Dump(options_, log_);
    ASSERT_TRUE(dumped.has_error()) << failing;
    EXPECT_EQ(dumped.error().message, fmt::format("no {}", failing));
    EXPECT_EQ(taken.back(), failing);
    EXPECT_THAT(Names(), IsEmpty()) << failing;
    EXPECT_EQ(ReadTaskStatus(child_.pid()).value().tracer_pid, 0) << failing;
    EXPECT_EQ(Maps(), maps_) << failing;
    EXPECT_THAT(ListChildren(child_.pid()).value(), IsEmpty()) << failing;
  }
  ExpectRunningAsBefore();
}

// Counts the children that a process has when its pages are read.
size_t CountSnapshots(DumpOptions options, Log& log) {
  size_t count = 0;
  options.snapshots = kAlways;
  options.before_step = [&](std::string_view step) -> Result<> {
    if (step == "pages") count = ListChildren(options.pid).value().size();
    return success();
  };
  const auto dumped = Dump(options, log);
  EXPECT_TRUE(dumped.has_value()) << dumped.error().message;
  return count;
}

TEST_F(DumpTest, ASnapshotIsTakenOnlyOfAProcessThatRunsOn) {
  EXPECT_EQ(CountSnapshots(options_, log_), 1U);
  std::filesystem::remove_all(directory_);
  std::filesystem::create_directories(directory_);
  options_.after = AfterDump::kKill;
  EXPECT_EQ(CountSnapshots(options_, log_), 0U);
}

TEST_F(DumpTest, ASnapshotHoldsNothingOpenBeforeTheProcessRunsOn) {
  options_.snapshots = kAlways;
  size_t count = 0;
  options_.before_step = [&](std::string_view step) -> Result<> {
    if (step != "pages") return success();
    EXPECT_EQ(ReadTaskStatus(child_.pid()).value().tracer_pid, getpid());
    const std::vector<pid_t> children = ListChildren(child_.pid()).value();
    count = children.size();
    for (const pid_t pid : children) {
      EXPECT_THAT(ListDirectory(fmt::format("/proc/{}/fd", pid)).value(), IsEmpty());
      EXPECT_EQ(ReadWholeFile(fmt::format("/proc/{}/oom_score_adj", pid)).value(), "1000\n");
    }
    return success();
  };
  ASSERT_TRUE(Dump(options_, log_).has_value());
  EXPECT_EQ(count, 1U);
  ExpectRunningAsBefore();
}

TEST(DumpWithoutSnapshotTest, WhatForkCannotCopyIsReadUnderTheFreeze) {
  const auto with_pages_of_its_own = [](const auto& ready) {
    return BeDumpable([&] {
      void* const pages =
          mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      std::memset(pages, 'p', kPageSize);
      madvise(pages, kPageSize, MADV_DONTFORK);
      ready();
    });
  };
  // A user's process, for root has no limit of processes.
  const auto without_children = [](const auto& ready) {
    return BeDumpable([&] {
      const rlimit limit{1, 1};
      setrlimit(RLIMIT_NPROC, &limit);
      if (setresuid(kSomeUser, kSomeUser, kSomeUser) != 0) _exit(1);
      ready();
    });
  };
  for (const auto& be : {std::function<int(const std::function<void()>&)>(with_pages_of_its_own),
                         std::function<int(const std::function<void()>&)>(without_children)}) {
    ChildForTest child(be);
    while (ListDirectory(fmt::format("/proc/{}/fd", child.pid())).value().size() > 3) {
    }
    DumpOptions options;
    options.pid = child.pid();
    options.images_directory = testing::TempDir() + "/without_snapshot";
    std::filesystem::create_directories(options.images_directory);
    options.after = AfterDump::kLeaveRunning;
    Log log;
    EXPECT_EQ(CountSnapshots(options, log), 0U);
    std::filesystem::remove_all(options.images_directory);
    kill(child.pid(), SIGUSR1);
    EXPECT_EQ(child.Wait(), 0);
  }
}

// With children: one that runs, one that is stopped, a zombie, and one with a child of its own; and
// with memory that they share.
int BeDumpableTree(const std::function<void()>& ready) {
  return BeDumpable([&] {
    auto* const shared = static_cast<char*>(
        mmap(nullptr, 16 * kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    const auto wait = [] {
      close_range(3, ~0U, 0);
      while (true) pause();
    };
    if (fork() == 0) wait();
    const pid_t stopped = fork();
    if (stopped == 0) {
      close_range(3, ~0U, 0);
      raise(SIGSTOP);
      wait();
    }
    waitpid(stopped, nullptr, WUNTRACED);
    const pid_t zombie = fork();
    if (zombie == 0) _exit(3);
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(zombie), &info, WEXITED | WNOWAIT);
    if (fork() == 0) {
      fork();
      shared[5 * kPageSize] = 's';
      wait();
    }
    ready();
  });
}

class DumpTreeTest : public testing::Test {
 protected:
  static constexpr size_t kProcesses = 6;

  DumpTreeTest() : child_(BeDumpableTree) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    options_.pid = child_.pid();
    options_.images_directory = directory_;
    options_.after = AfterDump::kLeaveRunning;
    options_.features = DetectKernelFeatures();
    // The last of them come by themselves, and close what they have of the test.
    while (ListTree(child_.pid()).size() < kProcesses) {
    }
  }
  ~DumpTreeTest() override {
    const std::vector<pid_t> tree = ListTree(child_.pid());
    for (const pid_t pid : tree) kill(pid, SIGKILL);
    std::filesystem::remove_all(directory_);
  }

  // What shows of each, from outside.
  std::vector<std::string> States() const {
    std::vector<std::string> states;
    for (const pid_t pid : ListTree(child_.pid())) {
      const TaskStatus status = ReadTaskStatus(pid).value();
      // One that was thawed is on its way to its stop for a moment.
      while (pid == stopped_ && ReadTaskStatus(pid).value().state != 'T') {
      }
      states.push_back(fmt::format("{} tracer {} {}", pid, status.tracer_pid,
                                   ReadWholeFile(fmt::format("/proc/{}/maps", pid)).has_value()
                                       ? ReadWholeFile(fmt::format("/proc/{}/maps", pid)).value()
                                       : ""));
    }
    return states;
  }
  pid_t StoppedOne() const {
    for (const pid_t pid : ListTree(child_.pid())) {
      if (ReadTaskStatus(pid).value().state == 'T') return pid;
    }
    return 0;
  }

  const std::string directory_ = testing::TempDir() + "/dump_tree_test";
  ChildForTest child_;
  pid_t stopped_ = StoppedOne();
  DumpOptions options_;
  Log log_;
};

TEST_F(DumpTreeTest, AFailureBeforeAnyStepLeavesEveryProcessAsItWasAndNoFile) {
  const std::vector<std::string> before = States();
  for (const AfterDump after : {AfterDump::kLeaveRunning, AfterDump::kKill}) {
    options_.after = after;
    for (const std::string_view failing : kDumpSteps) {
      if (failing == "release") continue;  // the dump is whole by then
      options_.before_step = [&](std::string_view step) -> Result<> {
        if (step == failing) return MakeError(ErrorCode::kSystem, "no {}", step);
        return success();
      };
      const auto dumped = Dump(options_, log_);
      ASSERT_TRUE(dumped.has_error()) << failing;
      EXPECT_EQ(dumped.error().message, fmt::format("no {}", failing));
      EXPECT_THAT(ListDirectory(directory_).value(), IsEmpty()) << failing;
      EXPECT_EQ(States(), before) << failing;
    }
  }
}

TEST_F(DumpTreeTest, EachProcessHasItsImagesAndWhatIsSharedIsThereOnce) {
  const std::vector<std::string> before = States();
  const auto stats = Dump(options_, log_);
  ASSERT_TRUE(stats.has_value()) << stats.error().message;
  EXPECT_EQ(States(), before);
  const std::vector<std::string> names = ListDirectory(directory_).value();
  const auto count = [&](std::string_view stem) {
    return std::ranges::count_if(names,
                                 [&](const std::string& name) { return name.starts_with(stem); });
  };
  EXPECT_EQ(count("core-"), 6);
  EXPECT_EQ(count("mm-"), 5);  // a zombie has none
  EXPECT_EQ(count("pagemap-shmem-"), 1);
  EXPECT_EQ(count("pages-"), 6);
  uint64_t page_bytes = 0;
  for (const std::string& name : names) {
    if (name.starts_with("pages-"))
      page_bytes += std::filesystem::file_size(directory_ + "/" + name);
  }
  EXPECT_EQ(page_bytes, stats.value().pages_written() * kPageSize);
}

TEST_F(DumpTreeTest, WithoutAnOptionAllOfItEnds) {
  options_.after = AfterDump::kKill;
  const std::vector<pid_t> tree = ListTree(child_.pid());
  ASSERT_TRUE(Dump(options_, log_).has_value());
  for (const pid_t pid : tree) {
    const auto status = ReadTaskStatus(pid);
    EXPECT_TRUE(status.has_error() || status.value().state == 'Z') << pid;
  }
}

TEST_F(DumpTreeTest, MemoryThatIsSharedByCloneVmIsRefusedByName) {
  // With a child that is of the tree and has the memory of its parent.
  ChildForTest sharing([](const auto& ready) {
    return BeDumpable([&] {
      static char stack[64 * 1024];
      const auto wait = [](void*) {
        close_range(3, ~0U, 0);
        return pause();
      };
      clone(wait, stack + sizeof(stack) - 64, CLONE_VM | SIGCHLD, nullptr);
      ready();
    });
  });
  while (ListTree(sharing.pid()).size() < 2) {
  }
  const pid_t clone_pid = ListTree(sharing.pid())[1];
  options_.pid = sharing.pid();
  const auto dumped = Dump(options_, log_);
  kill(clone_pid, SIGKILL);
  ASSERT_TRUE(dumped.has_error());
  EXPECT_EQ(dumped.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(
      dumped.error().message.find(fmt::format(
          "process {}: it shares its memory with process {} (CLONE_VM)", clone_pid, sharing.pid())),
      std::string::npos)
      << dumped.error().message;
}

TEST_F(DumpTest, ADiskThatFillsUpLeavesTheProcessRunningAndNoFile) {
  options_.progress = [](uint64_t, uint64_t) -> Result<> {
    return ErrnoError(ENOSPC, "pwrite(pages)");
  };
  for (const AfterDump after : {AfterDump::kKill, AfterDump::kLeaveRunning}) {
    for (const std::optional<SnapshotLimits> snapshots : {std::optional(kAlways), {}}) {
      options_.after = after;
      options_.snapshots = snapshots;
      EXPECT_EQ(Dump(options_, log_).error().code, ErrorCode::kSystem);
      EXPECT_THAT(Names(), IsEmpty());
    }
  }
  ExpectRunningAsBefore();
}

TEST_F(DumpTest, OldKernelInterfacesAndSnapshotsGiveTheSameImages) {
  ASSERT_TRUE(Dump(options_, log_).has_value());
  const std::vector<std::string> names = Names();
  std::vector<std::string> images;
  for (const std::string& name : names) images.push_back(Image(name));
  const auto expect_the_same = [&] {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    ASSERT_TRUE(Dump(options_, log_).has_value());
    EXPECT_EQ(Names(), names);
    for (size_t i = 0; i < names.size(); ++i) {
      // Times differ from dump to dump, and a page has the processor that the kernel wrote for
      // rseq.
      if (names[i] == "stats-dump" || names[i] == "inventory.img") continue;
      EXPECT_EQ(Image(names[i]).size(), images[i].size()) << names[i];
      EXPECT_TRUE(names[i] == "pages-1.img" || Image(names[i]) == images[i]) << names[i];
    }
  };
  options_.snapshots = kAlways;
  expect_the_same();
  options_.features = FallbackKernelFeatures();
  expect_the_same();
  ExpectRunningAsBefore();
}

TEST_F(DumpTest, WithoutAnOptionTheProcessEndsOnceItsImagesAreThere) {
  options_.after = AfterDump::kKill;
  const auto stats = Dump(options_, log_);
  ASSERT_TRUE(stats.has_value()) << stats.error().message;
  EXPECT_GT(stats.value().frozen_time(), 0U);
  EXPECT_EQ(std::filesystem::file_size(directory_ + "/pages-1.img"),
            stats.value().pages_written() * 4096);
  EXPECT_EQ(kill(child_.pid(), 0), -1);  // we were its tracer: waiting for its end reaped it
}

TEST_F(DumpTest, LeftStoppedItGoesOnAtSigcont) {
  options_.after = AfterDump::kLeaveStopped;
  ASSERT_TRUE(Dump(options_, log_).has_value());
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child_.pid()), &info, WSTOPPED), 0);
  kill(child_.pid(), SIGCONT);
  ExpectRunningAsBefore();
}

}  // namespace
}  // namespace ckpt
