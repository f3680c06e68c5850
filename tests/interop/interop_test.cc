// The four combinations of {ours, CRIU} as dumper and {ours, CRIU} as restorer, over the programs
// of tests/programs: each judges itself after the restore. One dump by each side serves both
// restorers.
#include <gmock/gmock.h>
#include <signal.h>

#include <string>
#include <string_view>
#include <tuple>

#include "tests/harness/engine.h"
#include "tests/harness/snapshot.h"
#include "tests/interop/dumped_program.h"

namespace ckpt {
namespace {

// Why this machine cannot do what the case asks for; empty when it can.
std::string WhyNot(const ProgramCase& program, Engine dumper, Engine restorer) {
  const Result<> available = CheckAvailable(restorer);
  if (available.has_error()) return available.error().message;
  if (program.name == std::string_view("personality") &&
      (dumper == Engine::kCriu || restorer == Engine::kCriu)) {
    return "CRIU reads the hexadecimal personality as decimal, and does not restore it";
  }
  if (program.name == std::string_view("dead_leaders") && restorer == Engine::kCriu) {
    return "CRIU gives the orphans of a dead session to init, though their subreaper is restored";
  }
  if (program.name == std::string_view("dumped_core") && restorer == Engine::kCriu) {
    return "CRIU does not tell a parent that its child dumped core";
  }
  if (program.name == std::string_view("exit_statuses") && restorer == Engine::kCriu) {
    return "CRIU restores seven bits of an exit status";
  }
  return WhyNotDumped(program, dumper);
}

using Case = std::tuple<ProgramCase, Engine, Engine>;
class Interop : public testing::TestWithParam<Case> {};

TEST_P(Interop, TheProgramGoesOnAsIfNothingHadHappened) {
  const auto& [program, dumper, restorer] = GetParam();
  const std::string why_not = WhyNot(program, dumper, restorer);
  if (!why_not.empty()) GTEST_SKIP() << why_not;

  const Result<DumpedProgram>& dump = DumpOnce(program, dumper);
  ASSERT_TRUE(dump.has_value()) << dump.error().message;
  Result<Subject> subject = dump.value().RestoreBy(restorer);
  ASSERT_TRUE(subject.has_value()) << subject.error().message;
  const Result<std::string> snapshot = SnapshotOnceStopped(
      dump.value().snapshot(), [&] { return TreeSnapshotOf(subject.value().pid()); });
  ASSERT_TRUE(snapshot.has_value()) << snapshot.error().message;
  EXPECT_EQ(snapshot.value(), dump.value().snapshot());
  if (program.stopped) {
    ASSERT_EQ(subject.value().State().value(), 'T');
    ASSERT_TRUE(subject.value().Signal(SIGCONT).has_value());
  }
  const Result<std::string> verdict = subject.value().Verdict();
  ASSERT_TRUE(verdict.has_value()) << verdict.error().message;
  EXPECT_EQ(verdict.value(), "pass");
}

std::string CaseName(const testing::TestParamInfo<Case>& info) {
  const auto& [program, dumper, restorer] = info.param;
  return fmt::format("{}_dumpedBy{}_restoredBy{}", Title(program), Name(dumper), Name(restorer));
}

INSTANTIATE_TEST_SUITE_P(Programs, Interop,
                         testing::Combine(testing::ValuesIn(ProgramCases().begin(),
                                                            ProgramCases().end()),
                                          testing::Values(Engine::kOurs, Engine::kCriu),
                                          testing::Values(Engine::kOurs, Engine::kCriu)),
                         CaseName);

}  // namespace
}  // namespace ckpt
