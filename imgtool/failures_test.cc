#include "imgtool/failures.h"

#include <gtest/gtest.h>

#include <sstream>

namespace ckpt {
namespace {

TEST(Failures, EndWithTheCodeOfTheFirst) {
  std::ostringstream err;
  Failures failures("imgtool show", err);
  EXPECT_EQ(failures.exit_code(), 0);
  failures.Note("a remark");
  EXPECT_EQ(failures.exit_code(), 0);
  failures.Report(MakeError(ErrorCode::kNotFound, "no {}", "file"));
  failures.Report(MakeError(ErrorCode::kBadFormat, "bad bytes"));
  EXPECT_EQ(failures.exit_code(), 3);
  EXPECT_EQ(err.str(), "imgtool show: a remark\nimgtool show: no file\nimgtool show: bad bytes\n");
}

}  // namespace
}  // namespace ckpt
