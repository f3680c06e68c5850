#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace ckpt {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return MakeError(ErrorCode::kBadFormat, "{} is odd", number);
  return number / 2;
}

Result<int> Quarter(int number) {
  CKPT_TRY(const int half, Half(number));
  return Half(half);
}

TEST(ResultTest, TryPassesTheFirstErrorOn) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_EQ(Quarter(6).error().message, "3 is odd");
  EXPECT_EQ(Quarter(6).error().code, ErrorCode::kBadFormat);
}

TEST(ResultTest, AnErrnoChoosesTheCodeAndIsNamed) {
  const Error error = ErrnoError(EACCES, "open(\"{}\")", "/x");
  EXPECT_EQ(error.code, ErrorCode::kPermission);
  EXPECT_EQ(error.message, "open(\"/x\"): Permission denied (EACCES)");
  EXPECT_EQ(ErrnoError(ESRCH, "kill").code, ErrorCode::kProcessGone);
  EXPECT_EQ(ErrnoError(ENOENT, "open").code, ErrorCode::kNotFound);
  EXPECT_EQ(ErrnoError(EIO, "read").code, ErrorCode::kSystem);
}

TEST(ResultTest, ContextGoesInFront) {
  EXPECT_EQ(MakeError(ErrorCode::kUsage, "bad").In("core-1.img").message, "core-1.img: bad");
}

}  // namespace
}  // namespace ckpt
