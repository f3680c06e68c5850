// Programs whose terminal is outside of the dump, alone and in containers of their own, restored on
// another terminal.
#include "tests/harness/terminal.h"

#include <gmock/gmock.h>
#include <sched.h>

#include <regex>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "tests/harness/command.h"
#include "tests/harness/container.h"
#include "tests/harness/engine.h"
#include "tests/harness/process_tree.h"
#include "tests/harness/snapshot.h"

namespace ckpt {
namespace {

using testing::HasSubstr;

// A session from outside has no number in a pid namespace of the dump's own.
struct TerminalCase {
  const char* name;
  SessionRole role;
  unsigned namespaces;
  const char* program = "terminal";
};

constexpr TerminalCase kCases[] = {
    {"Leader", SessionRole::kLeader, 0},
    {"LeaderWithoutOwnMounts", SessionRole::kLeader, CLONE_NEWUTS | CLONE_NEWIPC},
    {"LeaderInContainer", SessionRole::kLeader, kContainerNamespaces},
    {"LeaderOfGroups", SessionRole::kLeader, 0, "foreground"},
    {"LeaderOfGroupsInContainer", SessionRole::kLeader, kContainerNamespaces, "foreground"},
    {"Member", SessionRole::kMember, 0},
    {"Job", SessionRole::kMember, 0, "job"},
    {"JobWithOwnMounts", SessionRole::kMember, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC, "job"},
    {"MemberWithOwnMounts", SessionRole::kMember, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC},
};

// The program is ready when this returns.
Result<Container> StartOn(Terminal& terminal, const std::string& name,
                          const TerminalCase& terminal_case) {
  CKPT_TRY(Container container, Container::Start(name, {.program = terminal_case.program,
                                                        .terminal = &terminal,
                                                        .role = terminal_case.role,
                                                        .namespaces = terminal_case.namespaces}));
  if (!terminal.Await("ready")) return MakeError(ErrorCode::kInternal, "nothing on the terminal");
  return container;
}

// Without what is the terminal's: its path, and of members their session and its groups.
Result<std::string> Snapshot(const Container& container, const Terminal& terminal,
                             SessionRole role) {
  CKPT_TRY(std::string text, container.Snapshot());
  text = Replaced(text, " " + terminal.path() + " ", " TERMINAL ");
  if (role == SessionRole::kLeader) return text;
  return std::regex_replace(text, std::regex(" group [0-9]+ session [0-9]+ "), " ");
}

using Case = std::tuple<TerminalCase, Engine, Engine>;

std::string WhyNot(const Case& engines_and_case) {
  const auto& [terminal_case, dumper, restorer] = engines_and_case;
  for (const Engine engine : {dumper, restorer}) {
    const Result<> available = CheckAvailable(engine);
    if (available.has_error()) return available.error().message;
  }
  if (restorer == Engine::kCriu && terminal_case.role == SessionRole::kLeader) {
    return "CRIU leaves a session whose leader it restores without its terminal";
  }
  return "";
}

class TerminalTest : public testing::TestWithParam<Case> {};

TEST_P(TerminalTest, AnotherTerminalTakesThePlaceOfTheOneThatWas) {
  const auto& [terminal_case, dumper, restorer] = GetParam();
  const std::string why_not = WhyNot(GetParam());
  if (!why_not.empty()) GTEST_SKIP() << why_not;
  const std::string name =
      fmt::format("{}-{}-{}", terminal_case.name, Name(dumper), Name(restorer));
  const std::string images = MakeTestDirectory(name + "-images").value();
  Terminal terminal = Terminal::Open().value();
  Result<Container> started = StartOn(terminal, name, terminal_case);
  ASSERT_TRUE(started.has_value()) << started.error().message;
  Container& container = started.value();
  std::string before = Snapshot(container, terminal, terminal_case.role).value();
  // CRIU does not bring back O_NONBLOCK (04000) of a terminal.
  if (restorer == Engine::kCriu) before = Replaced(before, "flags 104002", "flags 100002");
  const std::vector<pid_t> tree = ProcessTree(container.pid()).value();
  const Result<> dumped = container.Dump(dumper, images, ProcessAfter::kGone, {"--shell-job"});
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  ReapDescendants(tree);

  Terminal other = Terminal::Open().value();
  const Result<> restored = container.Restore(restorer, images, {"--shell-job"}, &other);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_EQ(Snapshot(container, other, terminal_case.role).value(), before);
  EXPECT_EQ(container.Verdict().value(), "pass");
  EXPECT_TRUE(other.Await("hello"));
}

std::string CaseName(const testing::TestParamInfo<Case>& info) {
  const auto& [terminal_case, dumper, restorer] = info.param;
  return fmt::format("{}_dumpedBy{}_restoredBy{}", terminal_case.name, Name(dumper),
                     Name(restorer));
}

INSTANTIATE_TEST_SUITE_P(Terminals, TerminalTest,
                         testing::Combine(testing::ValuesIn(kCases),
                                          testing::Values(Engine::kOurs, Engine::kCriu),
                                          testing::Values(Engine::kOurs, Engine::kCriu)),
                         CaseName);

class TerminalOfNoShellJob : public testing::TestWithParam<TerminalCase> {};

TEST_P(TerminalOfNoShellJob, IsRefusedByName) {
  const std::string name = GetParam().name;
  const std::string images = MakeTestDirectory(name + "-images").value();
  Terminal terminal = Terminal::Open().value();
  Container container = StartOn(terminal, name, GetParam()).value();
  const Result<> dumped = container.Dump(Engine::kOurs, images, ProcessAfter::kRunning);
  ASSERT_TRUE(dumped.has_error());
  EXPECT_THAT(dumped.error().message,
              HasSubstr("a terminal from outside of the tree (see --shell-job)"));
  ASSERT_TRUE(
      container.Dump(Engine::kOurs, images, ProcessAfter::kGone, {"--shell-job"}).has_value());
  Terminal other = Terminal::Open().value();
  const Result<> restored = container.Restore(Engine::kOurs, images, {}, &other);
  ASSERT_TRUE(restored.has_error());
  EXPECT_THAT(restored.error().message, HasSubstr("exit status 5"));
  EXPECT_THAT(restored.error().message,
              HasSubstr("a terminal from outside of the dump is needed (--shell-job"));
}

INSTANTIATE_TEST_SUITE_P(Cases, TerminalOfNoShellJob, testing::ValuesIn(kCases),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace ckpt
