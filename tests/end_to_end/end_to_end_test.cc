// The main job, with the very steps that tools/demo shows, and their outcome checked; the repaired
// dump is restored by CRIU, too.
#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <charconv>
#include <string>
#include <vector>

#include "base/file.h"
#include "tests/harness/command.h"
#include "tests/harness/engine.h"
#include "tests/harness/snapshot.h"

namespace ckpt {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kBranchPath[] = "/mnt/A/aufs/diff/4f6d2a90c1b7/lib/libdemo.so";
constexpr char kUnionPath[] = "/mnt/union/lib/libdemo.so";

// Runs a step in a fresh shell; its output, with what went wrong at the end of it.
std::string Step(const std::string& name) {
  const auto result = RunCommand({"bash", RunfilePath("tests/end_to_end/main_job"), name}).value();
  EXPECT_EQ(result.exit_status, 0) << name << ": " << result.output << result.errors;
  return result.output + result.errors;
}

pid_t CountingPid() {
  const std::string text = ReadWholeFile("/mnt/pid").value();
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return pid;
}

// It comes to the test, the first process of its namespace, when the shell that started it ends.
int ReapCounting() {
  int status = 0;
  EXPECT_EQ(waitpid(CountingPid(), &status, 0), CountingPid());
  return status;
}

// The steps up to the repaired dump, once for all tests.
class EndToEnd : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    setenv("CKPT_DUMP", RunfilePath("dumper/ckpt-dump").c_str(), 1);
    setenv("CKPT_RESTORE", RunfilePath("restorer/ckpt-restore").c_str(), 1);
    setenv("IMGTOOL", RunfilePath("imgtool/imgtool").c_str(), 1);
    setenv("LAYER_COUNTER", RunfilePath("tests/programs/layer_counter").c_str(), 1);
    Step("host_a");
    started_ = Step("start");
    snapshot_ = SnapshotOf(CountingPid()).value();
    dumped_ = Step("dump");
    EXPECT_EQ(WTERMSIG(ReapCounting()), SIGKILL);
    Step("host_b");
    RunCommandWell({"cp", "-a", "/mnt/union/data", "/mnt/data-at-the-dump"}).value();
    raw_files_ = FilesText("/mnt/raw");
    raw_restore_ = Step("restore_raw");
    shown_ = Step("show");
    dry_run_ = Step("fixup_dry");
    fixed_ = Step("fixup");
  }

  // All that is in a directory, as one text.
  static std::string FilesText(const std::string& directory) {
    return RunCommandWell({"sh", "-c", "cd \"$0\" && sha256sum *", directory}).value().output;
  }

  static void PutDataBack() {
    RunCommandWell({"rm", "-r", "/mnt/union/data"}).value();
    RunCommandWell({"cp", "-a", "/mnt/data-at-the-dump", "/mnt/union/data"}).value();
  }

  // The process as it was on host A, but for the paths that the repair changed.
  static std::string ExpectedSnapshot() {
    std::string snapshot = snapshot_;
    for (size_t at; (at = snapshot.find(kBranchPath)) != std::string::npos;) {
      snapshot.replace(at, sizeof(kBranchPath) - 1, kUnionPath);
    }
    return snapshot;
  }

  static inline std::string started_, snapshot_, dumped_, raw_files_, raw_restore_, shown_;
  static inline std::string dry_run_, fixed_;
};

TEST_F(EndToEnd, TheLibraryIsMappedByItsBranchPath) {
  EXPECT_THAT(started_, HasSubstr(std::string("-> ") + kBranchPath));
  EXPECT_THAT(shown_, HasSubstr(std::string("\"name\": \"") + kBranchPath + "\""));
}

TEST_F(EndToEnd, TheDumpTellsItsFrozenTime) { EXPECT_THAT(dumped_, HasSubstr("frozen for ")); }

TEST_F(EndToEnd, RestoringTheRawDumpFailsAndNamesThePath) {
  EXPECT_THAT(raw_restore_, AllOf(HasSubstr(kBranchPath), HasSubstr("exit status 3")));
}

TEST_F(EndToEnd, TheDryRunTellsOldNewAndWhy) {
  EXPECT_THAT(dry_run_, HasSubstr(fmt::format("files.img: entry 6: reg.name: \"{}\" -> \"{}\"",
                                              kBranchPath, kUnionPath)));
  EXPECT_THAT(dry_run_, HasSubstr("in branch 2 of union"));
  EXPECT_THAT(dry_run_, HasSubstr("nothing written"));
}

TEST_F(EndToEnd, TheRepairLeavesItsInputAsItWas) {
  EXPECT_THAT(fixed_, HasSubstr("written to /mnt/fixed"));
  EXPECT_EQ(FilesText("/mnt/raw"), raw_files_);
}

TEST_F(EndToEnd, TheRepairedDumpNamesNoBranchOutsideTheRecordedFacts) {
  const auto shown = RunCommandWell({getenv("IMGTOOL"), "show", "/mnt/fixed/files.img"}).value();
  EXPECT_THAT(shown.output, AllOf(HasSubstr(kUnionPath), Not(HasSubstr("/mnt/A/"))));
}

TEST_F(EndToEnd, ASecondRepairFindsNothingToDo) {
  EXPECT_THAT(Step("fixup_again"), HasSubstr("nothing to do"));
}

TEST_F(EndToEnd, OursRestoresTheRepairedDump) {
  PutDataBack();
  EXPECT_THAT(Step("restore"), HasSubstr(std::string("-> ") + kUnionPath));
  EXPECT_EQ(SnapshotOf(CountingPid()).value(), ExpectedSnapshot());
  EXPECT_THAT(Step("verdict"), HasSubstr("its verdict: pass"));
  EXPECT_EQ(ReapCounting(), 0);
}

TEST_F(EndToEnd, CriuRestoresTheRepairedDump) {
  const Result<> available = CheckAvailable(Engine::kCriu);
  if (available.has_error()) GTEST_SKIP() << available.error().message;
  PutDataBack();
  const Result<pid_t> restored = Restore(Engine::kCriu, "/mnt/fixed");
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_EQ(restored.value(), CountingPid());
  EXPECT_EQ(SnapshotOf(CountingPid()).value(), ExpectedSnapshot());
  EXPECT_THAT(Step("verdict"), HasSubstr("its verdict: pass"));
  EXPECT_EQ(ReapCounting(), 0);
}

}  // namespace
}  // namespace ckpt
