#include "restorer/findings.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

TEST(FindingsTest, NoFindingIsSuccess) { EXPECT_TRUE(Findings().AsResult().has_value()); }

TEST(FindingsTest, AllFindingsAreToldAtOnceWithTheCodeOfTheFirst) {
  Findings findings;
  findings.Unsupported("files.img entry id {}: a socket", 7);
  findings.BadFormat("core-42.img: no registers");
  const Result<> result = findings.AsResult();
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(result.error().message, "files.img entry id 7: a socket\ncore-42.img: no registers");
}

TEST(FindingsTest, KeepTurnsAnErrorIntoAFinding) {
  Findings findings;
  EXPECT_EQ(findings.Keep(Result<int>(3)), 3);
  EXPECT_TRUE(findings.empty());
  EXPECT_EQ(findings.Keep(Result<int>(MakeError(ErrorCode::kNotFound, "gone"))), std::nullopt);
  EXPECT_EQ(findings.AsResult().error().message, "gone");
}

}  // namespace
}  // namespace ckpt
