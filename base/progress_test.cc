#include "base/progress.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

TEST(ProgressTest, ALineHasShareRateAndTimeLeft) {
  EXPECT_EQ(ProgressLine("writing pages", uint64_t{512} << 20, uint64_t{1024} << 20, 2.0),
            "writing pages: 50 % of 1024 MB, 256 MB/s, 2 s left");
}

TEST(ProgressTest, WithoutATerminalNothingIsWritten) {
  testing::internal::CaptureStderr();
  {
    Progress progress("writing pages");
    progress.Update(1, 2);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace ckpt
