#include "dumper/dump.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "process/child_for_test.h"
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
  }
  ExpectRunningAsBefore();
}

TEST_F(DumpTest, ADiskThatFillsUpLeavesTheProcessRunningAndNoFile) {
  options_.progress = [](uint64_t, uint64_t) -> Result<> {
    return ErrnoError(ENOSPC, "pwrite(pages)");
  };
  for (const AfterDump after : {AfterDump::kKill, AfterDump::kLeaveRunning}) {
    options_.after = after;
    EXPECT_EQ(Dump(options_, log_).error().code, ErrorCode::kSystem);
    EXPECT_THAT(Names(), IsEmpty());
  }
  ExpectRunningAsBefore();
}

TEST_F(DumpTest, OldKernelInterfacesGiveTheSameImages) {
  ASSERT_TRUE(Dump(options_, log_).has_value());
  const std::vector<std::string> names = Names();
  std::vector<std::string> images;
  for (const std::string& name : names) images.push_back(Image(name));
  std::filesystem::remove_all(directory_);
  std::filesystem::create_directories(directory_);
  options_.features = FallbackKernelFeatures();
  ASSERT_TRUE(Dump(options_, log_).has_value());
  EXPECT_EQ(Names(), names);
  for (size_t i = 0; i < names.size(); ++i) {
    // Times differ from dump to dump, and a page has the processor that the kernel wrote for rseq.
    if (names[i] == "stats-dump" || names[i] == "inventory.img") continue;
    EXPECT_EQ(Image(names[i]).size(), images[i].size()) << names[i];
    EXPECT_TRUE(names[i] == "pages-1.img" || Image(names[i]) == images[i]) << names[i];
  }
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
