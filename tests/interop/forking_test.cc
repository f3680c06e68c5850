// A tree that changes all the time is dumped, killed and restored several times in a row.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <string>
#include <tuple>

#include "tests/harness/command.h"
#include "tests/harness/container.h"
#include "tests/harness/engine.h"

namespace ckpt {
namespace {

// What CRIU has restored has memory files in place of anonymous shared memory.
int Rounds(Engine restorer) { return restorer == Engine::kOurs ? 5 : 1; }

using Case = std::tuple<unsigned, Engine, Engine>;

std::string CaseName(const testing::TestParamInfo<Case>& info) {
  const auto& [namespaces, dumper, restorer] = info.param;
  return fmt::format("{}_dumpedBy{}_restoredBy{}", namespaces == 0 ? "here" : "inContainer",
                     Name(dumper), Name(restorer));
}

class Forking : public testing::TestWithParam<Case> {};

TEST_P(Forking, ATreeThatForksAndEndsAllTheTimeGoesOn) {
  const auto& [namespaces, dumper, restorer] = GetParam();
  for (const Engine engine : {dumper, restorer}) {
    const Result<> available = CheckAvailable(engine);
    if (available.has_error()) GTEST_SKIP() << available.error().message;
  }
  Result<Container> started =
      Container::Start(fmt::format("{}-{}-{}", namespaces, Name(dumper), Name(restorer)),
                       {.program = "forking", .namespaces = namespaces});
  ASSERT_TRUE(started.has_value()) << started.error().message;
  Container& container = started.value();
  for (int round = 0; round < Rounds(restorer); ++round) {
    SCOPED_TRACE(round);
    const std::string images = MakeTestDirectory("images").value();
    const Result<> dumped = container.Dump(dumper, images);
    ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
    while (waitpid(-1, nullptr, 0) > 0) {  // orphans of the tree, whose numbers are taken
    }
    const Result<> restored = container.Restore(restorer, images);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
  }
  EXPECT_EQ(container.Verdict().value(), "pass");
}

INSTANTIATE_TEST_SUITE_P(Trees, Forking,
                         testing::Combine(testing::Values(0U, kContainerNamespaces),
                                          testing::Values(Engine::kOurs, Engine::kCriu),
                                          testing::Values(Engine::kOurs, Engine::kCriu)),
                         CaseName);

}  // namespace
}  // namespace ckpt
