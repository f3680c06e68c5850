// The dumps that the interop tests make, checked: nothing is wrong with them; and damaged in each
// way that a rule of the check names.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/check/damaged_dumps.h"
#include "tests/harness/engine.h"
#include "tests/interop/dumped_program.h"

namespace ckpt {
namespace {

class CheckedDumps : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    const Result<> available = CheckAvailable(GetParam());
    if (available.has_error()) GTEST_SKIP() << available.error().message;
  }

  template <typename Visit>
  void ForEachDump(Visit visit) {
    for (const ProgramCase& program : ProgramCases()) {
      if (!WhyNotDumped(program, GetParam()).empty()) continue;
      const Result<DumpedProgram>& dump = DumpOnce(program, GetParam());
      ASSERT_TRUE(dump.has_value()) << dump.error().message;
      visit(dump.value().images());
    }
  }
};

TEST_P(CheckedDumps, HaveNothingWrongWithThem) { ForEachDump(ExpectNothingFound); }

TEST_P(CheckedDumps, HaveEachDamageNamedByItsRule) {
  std::set<std::string> tried;
  ForEachDump([&](const std::string& images) { ExpectDamagesNamed(images, tried); });
  EXPECT_GT(tried.size(), 50U);
}

INSTANTIATE_TEST_SUITE_P(DumpedBy, CheckedDumps, testing::Values(Engine::kOurs, Engine::kCriu),
                         [](const auto& engine) { return std::string(Name(engine.param)); });

}  // namespace
}  // namespace ckpt
