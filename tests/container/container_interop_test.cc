// Programs in containers of their own, in the combinations of {ours, CRIU} as dumper and {ours,
// CRIU} as restorer: each judges itself, and the harness compares tasks and mounts before and
// after.
#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tests/harness/container.h"
#include "tests/harness/engine.h"
#include "tests/harness/snapshot.h"

namespace ckpt {
namespace {

struct ContainerCase {
  const char* name;
  ContainerOptions options;
};

const ContainerCase kCases[] = {
    {"namespaces", {.program = "namespaces"}},
    {"mounts", {.program = "mounts", .propagation = true}},
    {"counterInLayers", {.program = "counter", .root = ContainerRoot::kLayers}},
    {"mountsInLayers", {.program = "mounts", .root = ContainerRoot::kLayers, .propagation = true}},
    {"filesInUnknownUnion", {.program = "files", .root = ContainerRoot::kFuseLayers}},
    {"namespacesUnderInit", {.program = "namespaces", .under_init = true}},
};

constexpr const char* kPrograms[] = {
    "blocked", "chrooted", "credentials", "events", "fifos", "files", "ghosts", "memory", "pipes",
    "settings", "signals", "threads", "timers", "unix_pairs",
    // Of several processes.
    "tree", "zombies", "exit_statuses", "stopped_child", "dumped_core", "copied_memory",
    "shared_files", "shared_table", "shared_memory", "pipes_between", "pairs_between",
    "dead_leaders"};

// Programs that know nothing of containers, in the layers of one.
std::vector<ContainerCase> Cases() {
  std::vector<ContainerCase> cases(std::begin(kCases), std::end(kCases));
  for (const char* program : kPrograms) {
    cases.push_back({program, {.program = program, .root = ContainerRoot::kLayers}});
  }
  return cases;
}

// Why the engines cannot do what the case asks for; empty when they can.
std::string WhyNot(const ContainerCase& container_case, Engine dumper, Engine restorer) {
  for (const Engine engine : {dumper, restorer}) {
    const Result<> available = CheckAvailable(engine);
    if (available.has_error()) return available.error().message;
  }
  const Result<> root = CheckAvailable(container_case.options.root);
  if (root.has_error()) return root.error().message;
  if (container_case.name == std::string_view("timers") && dumper == Engine::kCriu) {
    return "CRIU writes the thread that a timer notifies by its number outside";
  }
  if (container_case.name == std::string_view("chrooted") && dumper == Engine::kCriu) {
    return "CRIU knows only the mounts that the first process sees, among which there is no root";
  }
  if (restorer == Engine::kCriu) {
    if (container_case.name == std::string_view("dead_leaders")) {
      return "CRIU gives the orphans of a dead session to init, though their subreaper is restored";
    }
    if (container_case.name == std::string_view("dumped_core")) {
      return "CRIU does not tell a parent that its child dumped core";
    }
    if (container_case.name == std::string_view("exit_statuses")) {
      return "CRIU restores seven bits of an exit status";
    }
  }
  return "";
}

using Case = std::tuple<ContainerCase, Engine, Engine>;
class ContainerInterop : public testing::TestWithParam<Case> {};

TEST_P(ContainerInterop, TheContainerGoesOnAsIfNothingHadHappened) {
  const auto& [container_case, dumper, restorer] = GetParam();
  const std::string why_not = WhyNot(container_case, dumper, restorer);
  if (!why_not.empty()) GTEST_SKIP() << why_not;
  const std::string name =
      fmt::format("{}-{}-{}", container_case.name, Name(dumper), Name(restorer));
  const std::string images = MakeTestDirectory(name + "-images").value();
  Result<Container> started = Container::Start(name, container_case.options);
  ASSERT_TRUE(started.has_value()) << started.error().message;
  Container& container = started.value();
  const std::string before = container.Snapshot().value();

  const Result<> dumped = container.Dump(dumper, images);
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const Result<> restored = container.Restore(restorer, images);
  ASSERT_TRUE(restored.has_value()) << restored.error().message;
  EXPECT_EQ(SnapshotOnceStopped(before, [&] { return container.Snapshot(); }).value(), before);
  const Result<std::string> verdict = container.Verdict();
  ASSERT_TRUE(verdict.has_value()) << verdict.error().message;
  EXPECT_EQ(verdict.value(), "pass");
}

std::string CaseName(const testing::TestParamInfo<Case>& info) {
  const auto& [container_case, dumper, restorer] = info.param;
  return fmt::format("{}_dumpedBy{}_restoredBy{}", container_case.name, Name(dumper),
                     Name(restorer));
}

INSTANTIATE_TEST_SUITE_P(Containers, ContainerInterop,
                         testing::Combine(testing::ValuesIn(Cases()),
                                          testing::Values(Engine::kOurs, Engine::kCriu),
                                          testing::Values(Engine::kOurs, Engine::kCriu)),
                         CaseName);

}  // namespace
}  // namespace ckpt
