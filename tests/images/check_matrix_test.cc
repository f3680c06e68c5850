// The dumps of the matrix, checked: nothing is wrong with them; and damaged in each way that a rule
// of the check names.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/check/damaged_dumps.h"
#include "tests/harness/engine.h"
#include "tests/images/matrix_dumps.h"

namespace ckpt {
namespace {

class CheckedMatrix : public testing::Test {
 protected:
  void SetUp() override {
    const Result<> available = CheckAvailable(Engine::kCriu);
    if (available.has_error()) GTEST_SKIP() << available.error().message;
  }

  template <typename Visit>
  void ForEachDump(Visit visit) {
    for (const MatrixDump& dump : MatrixDumps()) {
      if (!dump.refusal.empty()) continue;
      const Result<std::string>& images = DumpedOnce(dump);
      ASSERT_TRUE(images.has_value()) << images.error().message;
      visit(images.value());
    }
  }
};

TEST_F(CheckedMatrix, HasNothingWrongWithIt) { ForEachDump(ExpectNothingFound); }

TEST_F(CheckedMatrix, HasEachDamageNamedByItsRule) {
  std::set<std::string> tried;
  ForEachDump([&](const std::string& images) { ExpectDamagesNamed(images, tried); });
  // The others need what CRIU does not write any more, or not here.
  EXPECT_GT(tried.size(), 80U);
}

}  // namespace
}  // namespace ckpt
