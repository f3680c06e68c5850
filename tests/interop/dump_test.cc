// What our dump leaves behind: a process as it was, whether it was dumped or refused.
#include <gmock/gmock.h>
#include <signal.h>

#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "tests/harness/command.h"
#include "tests/harness/engine.h"
#include "tests/harness/snapshot.h"
#include "tests/harness/subject.h"

namespace ckpt {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

struct Started {
  Subject subject;
  std::string workdir;
  std::string images;
  std::string snapshot;
};

Result<Started> StartProgram(const std::string& name) {
  CKPT_TRY(const std::string workdir, MakeTestDirectory("work"));
  CKPT_TRY(std::string images, MakeTestDirectory("images"));
  CKPT_TRY(Subject subject, Subject::Start(RunfilePath("tests/programs/" + name), workdir));
  CKPT_TRY(std::string snapshot, TreeSnapshotOf(subject.pid()));
  return Started{std::move(subject), workdir, std::move(images), std::move(snapshot)};
}

class LiveDump : public testing::TestWithParam<const char*> {};

TEST_P(LiveDump, AProcessThatIsLeftRunningIsAsItWas) {
  Result<Started> started = StartProgram(GetParam());
  ASSERT_TRUE(started.has_value()) << started.error().message;
  Subject& subject = started.value().subject;
  const Result<> dumped =
      Dump(Engine::kOurs, subject.pid(), started.value().images, ProcessAfter::kRunning);
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  EXPECT_EQ(TreeSnapshotOf(subject.pid()).value(), started.value().snapshot);
  EXPECT_EQ(subject.Verdict().value(), "pass");
}

INSTANTIATE_TEST_SUITE_P(Programs, LiveDump,
                         testing::Values("blocked", "copied_memory", "counter", "credentials",
                                         "dead_leaders", "events", "fifos", "files", "memory",
                                         "other_user", "personality", "pipes", "pipes_between",
                                         "registers", "settings", "shared_files", "shared_memory",
                                         "shared_table", "signals", "stopped_child", "threads",
                                         "timers", "tree", "zombies"),
                         [](const auto& program) { return std::string(program.param); });

TEST(LiveDumpOfOne, AProcessThatIsLeftStoppedGoesOnWhenContinued) {
  Started started = StartProgram("threads").value();
  const Result<> dumped =
      Dump(Engine::kOurs, started.subject.pid(), started.images, ProcessAfter::kStopped);
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  ASSERT_TRUE(started.subject.AwaitStop().has_value());
  EXPECT_EQ(started.subject.State().value(), 'T');
  ASSERT_TRUE(started.subject.Signal(SIGCONT).has_value());
  EXPECT_EQ(started.subject.Verdict().value(), "pass");
}

TEST(LiveDumpOfOne, AStoppedProcessThatIsLeftRunningStaysStopped) {
  Started started = StartProgram("counter").value();
  ASSERT_TRUE(started.subject.Signal(SIGSTOP).has_value());
  ASSERT_TRUE(started.subject.AwaitStop().has_value());
  const Result<> dumped =
      Dump(Engine::kOurs, started.subject.pid(), started.images, ProcessAfter::kRunning);
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  EXPECT_EQ(started.subject.State().value(), 'T');
  ASSERT_TRUE(started.subject.Signal(SIGCONT).has_value());
  EXPECT_EQ(started.subject.Verdict().value(), "pass");
}

// It is read while it changes, from a snapshot; the dump is of one moment.
TEST(LiveDumpOfOne, MemoryThatChangesAllTheTimeIsThatOfOneMoment) {
  Started started = StartProgram("busy_memory").value();
  Subject subject = std::move(started.subject);
  std::vector<std::string> dumps;
  for (int i = 0; i < 5; ++i) {
    dumps.push_back(MakeTestDirectory("images" + std::to_string(i)).value());
    const Result<> dumped = Dump(Engine::kOurs, subject.pid(), dumps[i], ProcessAfter::kRunning);
    ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
    EXPECT_THAT(ReadWholeFile(dumps[i] + "/dump.log").value(),
                HasSubstr("snapshots of 1 processes"));
  }
  EXPECT_EQ(subject.Verdict().value(), "pass");
  for (const std::string& images : dumps) {
    const pid_t pid = Restore(Engine::kOurs, images).value();
    EXPECT_EQ(Subject::Adopt(pid, started.workdir).value().Verdict().value(), "pass") << images;
  }
}

// Exit status 5 is that of what is well-formed but beyond us.
void ExpectRefused(Started started, const std::string& what) {
  const Result<> dumped = Dump(Engine::kOurs, started.subject.pid(), started.images);
  ASSERT_TRUE(dumped.has_error());
  EXPECT_THAT(dumped.error().message, AllOf(HasSubstr("exit status 5"), HasSubstr(what)));
  EXPECT_THAT(ListDirectory(started.images).value(), ElementsAre("dump.log"));
  EXPECT_EQ(TreeSnapshotOf(started.subject.pid()).value(), started.snapshot);
  EXPECT_EQ(started.subject.Verdict().value(), "pass");
}

TEST(LiveDumpOfOne, ASocketIsRefusedByNameBeforeAnythingIsWritten) {
  ExpectRefused(StartProgram("holds_socket").value(), "socket:[");
}

}  // namespace
}  // namespace ckpt
