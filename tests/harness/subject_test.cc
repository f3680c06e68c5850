// The harness and the programs themselves: what is not dumped passes, and what is harmed fails.
#include "tests/harness/subject.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include "tests/harness/command.h"
#include "tests/harness/snapshot.h"

namespace ckpt {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Result<Subject> StartProgram(const std::string& name) {
  CKPT_TRY(const std::string workdir, MakeTestDirectory("work"));
  return Subject::Start(RunfilePath("tests/programs/" + name), workdir);
}

class Programs : public testing::TestWithParam<const char*> {};

TEST_P(Programs, OneThatIsLeftAlonePasses) {
  Result<Subject> subject = StartProgram(GetParam());
  ASSERT_TRUE(subject.has_value()) << subject.error().message;
  EXPECT_EQ(subject.value().Verdict().value(), "pass");
}

INSTANTIATE_TEST_SUITE_P(All, Programs,
                         testing::Values("blocked", "copied_memory", "counter", "credentials",
                                         "dead_leaders", "events", "fifos", "files", "holds_socket",
                                         "memory", "other_user", "personality", "pipes",
                                         "pipes_between", "registers", "settings", "shared_files",
                                         "shared_memory", "shared_table", "signals",
                                         "stopped_child", "threads", "timers", "tree", "zombies"),
                         [](const auto& program) { return std::string(program.param); });

TEST(Subject, RunsInANamespaceOfTheTest) { EXPECT_EQ(getpid(), 1); }

TEST(Subject, AProgramThatCannotStartIsAnError) {
  const Result<Subject> subject = StartProgram("no_such_program");
  ASSERT_TRUE(subject.has_error());
  EXPECT_THAT(subject.error().message, HasSubstr("did not get ready"));
}

TEST(Subject, AProgramThatWasHarmedFails) {
  Subject subject = StartProgram("signals").value();
  ASSERT_TRUE(subject.Signal(SIGRTMIN + 1).has_value());  // one more than it has pending
  EXPECT_THAT(subject.Verdict().value(), StartsWith("fail: line "));
}

TEST(Subject, AnEndWithoutAVerdictIsTold) {
  Subject subject = StartProgram("pipes").value();
  ASSERT_TRUE(subject.Signal(SIGKILL).has_value());
  EXPECT_EQ(subject.Verdict().value(), "ended with 137 and without a verdict");
}

TEST(Subject, AStoppedProgramIsSeenAsStopped) {
  Subject subject = StartProgram("counter").value();
  ASSERT_TRUE(subject.Signal(SIGSTOP).has_value());
  ASSERT_TRUE(subject.AwaitStop().has_value());
  EXPECT_EQ(subject.State().value(), 'T');
}

TEST(Snapshot, TwoOfAnIdleProcessAreTheSame) {
  const Subject subject = StartProgram("threads").value();
  EXPECT_EQ(SnapshotOf(subject.pid()).value(), SnapshotOf(subject.pid()).value());
}

TEST(Snapshot, HasMappingsDescriptorsThreadsAndLimits) {
  const Subject subject = StartProgram("threads").value();
  const std::string snapshot = SnapshotOf(subject.pid()).value();
  EXPECT_THAT(snapshot, HasSubstr(" r-xp /"));
  EXPECT_THAT(snapshot, HasSubstr("descriptor 0 /dev/null flags 100000\n"));
  EXPECT_THAT(snapshot, HasSubstr("Name:\tworker 3\n"));
  EXPECT_THAT(snapshot, HasSubstr("Max open files"));
}

}  // namespace
}  // namespace ckpt
