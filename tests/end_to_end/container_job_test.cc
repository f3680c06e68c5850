// The scenario that started it all, with the very steps that tools/demo shows: by our restorer and
// by CRIU's, twice in a row, and with the container left running by its dump.
#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <charconv>
#include <set>
#include <sstream>
#include <string>

#include "base/file.h"
#include "tests/harness/command.h"
#include "tests/harness/mounts_snapshot.h"

namespace ckpt {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kBranchPath[] = "/mnt/A/aufs/diff/4f6d2a90c1b7/bin/busybox";

// Runs a step in a fresh shell; its output, with what went wrong at the end of it.
std::string Step(const std::string& name) {
  const auto result =
      RunCommand({"bash", RunfilePath("tests/end_to_end/container_job"), name}).value();
  EXPECT_EQ(result.exit_status, 0) << name << ": " << result.output << result.errors;
  return result.output + result.errors;
}

// Of the container's first process, as the test sees it.
pid_t ContainerPid() {
  const std::string text = ReadWholeFile("/mnt/pid").value();
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return pid;
}

// It comes to the test, the first process of its namespace, when the shell that started it ends.
// All of the container ends with it.
void EndContainer() {
  const pid_t pid = ContainerPid();
  kill(pid, SIGKILL);
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

// From `begin` to the next blank: `what`.
void Replace(std::string& text, const std::string& begin, const std::string& what) {
  for (size_t at = 0; (at = text.find(begin, at)) != text.npos; at += what.size()) {
    text.replace(at, text.find_first_of(" \n", at + 1) - at, what);
  }
}

// The mounts, without what is another on each host: where its files and the layers lie.
std::string Mounts() {
  std::string mounts = MountsSnapshotOf(ContainerPid()).value();
  for (const char* host : {" /A/etc/", " /B/etc/"}) Replace(mounts, host, " FILE");
  Replace(mounts, "lowerdir=", "LAYERS");
  return mounts;
}

// Each test begins with a container on host A that has counted a little.
class ContainerJob : public testing::Test {
 protected:
  void SetUp() override {
    setenv("CKPT_DUMP", RunfilePath("dumper/ckpt-dump").c_str(), 1);
    setenv("CKPT_RESTORE", RunfilePath("restorer/ckpt-restore").c_str(), 1);
    setenv("IMGTOOL", RunfilePath("imgtool/imgtool").c_str(), 1);
    setenv("RUN_CONTAINER", RunfilePath("tests/end_to_end/run_container").c_str(), 1);
    unsetenv("IMAGES");
    Step("host_a");
    started_ = Step("start");
    mounts_ = Mounts();
  }

  void TearDown() override { RunCommandWell({"umount", "-R", "/mnt"}).value(); }

  // The dump that ends the container, its repair, and host B.
  void MoveToHostB() {
    Step("dump");
    waitpid(ContainerPid(), nullptr, 0);
    fixed_ = Step("fixup");
    Step("host_b");
  }

  void RestoreAndVerify() {
    EXPECT_THAT(Step("restore"), AllOf(HasSubstr("-> /bin/busybox"), Not(HasSubstr("/aufs/"))));
    EXPECT_EQ(Mounts(), mounts_);
    EXPECT_THAT(Step("verify"), HasSubstr("each once; hostname of host B"));
  }

  // Numbers may be there more than once.
  static void ExpectNoGap() {
    std::istringstream lines(ReadWholeFile("/mnt/B/rootfs/foo").value());
    std::set<int> numbers;
    for (int number = 0; lines >> number;) numbers.insert(number);
    ASSERT_FALSE(numbers.empty());
    EXPECT_EQ(*numbers.rbegin(), static_cast<int>(numbers.size()) - 1);
  }

  std::string started_, mounts_, fixed_;
};

TEST_F(ContainerJob, OursRestoresTheRepairedDump) {
  EXPECT_THAT(started_, HasSubstr(std::string("-> ") + kBranchPath));
  MoveToHostB();
  EXPECT_THAT(fixed_, HasSubstr(std::string("\"") + kBranchPath + "\" -> \"/bin/busybox\""));
  RestoreAndVerify();
  EndContainer();
}

TEST_F(ContainerJob, CriuRestoresTheRepairedDump) {
  const auto criu = RunCommand({RunfilePath("tools/get-criu")}).value();
  if (criu.exit_status != 0) GTEST_SKIP() << criu.errors;
  setenv("CKPT_RESTORE", (criu.output.substr(0, criu.output.find('\n')) + " restore").c_str(), 1);
  MoveToHostB();
  RestoreAndVerify();
  EndContainer();
}

TEST_F(ContainerJob, WhatWasRestoredIsDumpedAndRestoredAgain) {
  MoveToHostB();
  RestoreAndVerify();
  setenv("IMAGES", "/mnt/img2", 1);
  Step("dump");
  waitpid(ContainerPid(), nullptr, 0);
  EXPECT_THAT(Step("fixup"), Not(HasSubstr("busybox")));  // but options of the union's mount
  RestoreAndVerify();
  EndContainer();
}

// It has counted further since its dump, so that what is restored counts some numbers again.
TEST_F(ContainerJob, ADumpThatLeavesItRunningIsRestoredOnceItHasEnded) {
  setenv("CKPT_DUMP", (RunfilePath("dumper/ckpt-dump") + " --leave-running").c_str(), 1);
  Step("dump");
  EXPECT_THAT(Step("goes_on"), HasSubstr("goes on"));
  EndContainer();
  Step("fixup");
  Step("host_b");
  Step("restore");
  EXPECT_EQ(Mounts(), mounts_);
  ExpectNoGap();
  setenv("IMAGES", "/mnt/img2", 1);
  Step("dump");
  EXPECT_THAT(Step("goes_on"), HasSubstr("goes on"));
  EndContainer();
  Step("restore");
  ExpectNoGap();
  EndContainer();
}

}  // namespace
}  // namespace ckpt
