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

// Runs a step in a fresh shell; its output, with what went wrong at the end of it. None after one
// that failed: it could wait for ever for a container that is not as it thinks.
std::string Step(const std::string& name) {
  if (testing::Test::HasFailure()) return "not run";
  const auto result =
      RunCommand({"bash", RunfilePath("tests/end_to_end/container_job"), name}).value();
  EXPECT_EQ(result.exit_status, 0) << name << ": " << result.output << result.errors;
  return result.output + result.errors;
}

// Of the container's first process, as the test sees it; 0 where there is none.
pid_t ContainerPid() {
  const Result<std::string> text = ReadWholeFile("/mnt/pid");
  pid_t pid = 0;
  if (text.has_error()) return pid;
  std::from_chars(text.value().data(), text.value().data() + text.value().size(), pid);
  return pid;
}

// It comes to the test, the first process of its namespace, when the shell that started it ends.
// All of the container ends with it.
void EndContainer() {
  const pid_t pid = ContainerPid();
  if (pid <= 0 || waitpid(pid, nullptr, WNOHANG) != 0) return;  // it is no child of ours
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

// Of a container that its dump has ended.
void AwaitEnd() {
  if (testing::Test::HasFailure()) return;
  EXPECT_EQ(waitpid(ContainerPid(), nullptr, 0), ContainerPid());
}

// From `begin` to the next blank: `what`.
void Replace(std::string& text, const std::string& begin, const std::string& what) {
  for (size_t at = 0; (at = text.find(begin, at)) != text.npos; at += what.size()) {
    text.replace(at, text.find_first_of(" \n", at + 1) - at, what);
  }
}

// The mounts, without what is another on each host: where its files and the layers lie.
std::string Mounts() {
  if (testing::Test::HasFailure()) return "";
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

  // What a failed test leaves running ends here.
  void TearDown() override {
    EndContainer();
    RunCommandWell({"umount", "-R", "/mnt"}).value();
  }

  // The dump that ends the container, its repair, and host B.
  void MoveToHostB() {
    Step("dump");
    AwaitEnd();
    fixed_ = Step("fixup");
    Step("host_b");
  }

  void RestoreAndVerify() {
    EXPECT_THAT(Step("restore"), AllOf(HasSubstr("-> /bin/busybox"), Not(HasSubstr("/aufs/"))));
    EXPECT_EQ(Mounts(), mounts_);
    EXPECT_THAT(Step("verify"), HasSubstr("each once; hostname of host B"));
  }

  // By a dump that leaves the container running; it is ended then.
  static void DumpAndEnd() {
    setenv("CKPT_DUMP", (RunfilePath("dumper/ckpt-dump") + " --leave-running").c_str(), 1);
    Step("dump");
    EXPECT_THAT(Step("goes_on"), HasSubstr("goes on"));
    EndContainer();
  }

  // It has counted further since that dump, so that what is restored counts some numbers again.
  void RestoreWhatWasLeftRunning() {
    DumpAndEnd();
    Step("fixup");
    Step("host_b");
    Step("restore");
    EXPECT_EQ(Mounts(), mounts_);
    ExpectNoGap();
  }

  // Numbers may be there more than once.
  static void ExpectNoGap() {
    if (HasFailure()) return;
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
}

// CRIU restores in place of ours.
class ContainerJobByCriu : public ContainerJob {
 protected:
  void SetUp() override {
    const auto criu = RunCommand({RunfilePath("tools/get-criu")}).value();
    if (criu.exit_status != 0) GTEST_SKIP() << criu.errors;
    ContainerJob::SetUp();
    setenv("CKPT_RESTORE", (criu.output.substr(0, criu.output.find('\n')) + " restore").c_str(), 1);
  }
};

TEST_F(ContainerJobByCriu, ItRestoresTheRepairedDump) {
  MoveToHostB();
  RestoreAndVerify();
}

TEST_F(ContainerJobByCriu, ItRestoresTheDumpOfWhatWasLeftRunning) { RestoreWhatWasLeftRunning(); }

TEST_F(ContainerJob, WhatWasRestoredIsDumpedAndRestoredAgain) {
  MoveToHostB();
  RestoreAndVerify();
  setenv("IMAGES", "/mnt/img2", 1);
  Step("dump");
  AwaitEnd();
  EXPECT_THAT(Step("fixup"), Not(HasSubstr("busybox")));  // but options of the union's mount
  RestoreAndVerify();
}

TEST_F(ContainerJob, ADumpThatLeavesItRunningIsRestoredOnceItHasEnded) {
  RestoreWhatWasLeftRunning();
  setenv("IMAGES", "/mnt/img2", 1);
  DumpAndEnd();
  Step("restore");
  ExpectNoGap();
}

}  // namespace
}  // namespace ckpt
