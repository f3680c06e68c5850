#include "process/limits.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace ckpt {
namespace {

constexpr std::string_view kHeading =
    "Limit                     Soft Limit           Hard Limit           Units     \n";

// Soft limit N and hard limit 100 + N for RLIMIT_ number N, in an order of its own.
std::string LimitsText(size_t without = kLimitCount) {
  std::string text(kHeading);
  for (size_t i = kLimitCount; i-- > 0;) {
    if (i != without) text += fmt::format("{:<25} {:<20} {:<20} bytes\n", LimitName(i), i, 100 + i);
  }
  return text;
}

TEST(LimitsTest, EachLimitIsFoundByItsName) {
  const auto limits = ParseLimits(LimitsText());
  ASSERT_TRUE(limits.has_value()) << limits.error().message;
  for (size_t i = 0; i < kLimitCount; ++i) {
    EXPECT_EQ(limits.value()[i].rlim_cur, i);
    EXPECT_EQ(limits.value()[i].rlim_max, 100 + i);
  }
}

TEST(LimitsTest, UnlimitedIsInfinity) {
  std::string text = LimitsText(RLIMIT_CORE);
  text += "Max core file size        0                    unlimited            bytes     \n";
  const Limits limits = ParseLimits(text).value();
  EXPECT_EQ(limits[RLIMIT_CORE].rlim_cur, 0U);
  EXPECT_EQ(limits[RLIMIT_CORE].rlim_max, RLIM_INFINITY);
}

TEST(LimitsTest, AMissingLimitIsNamed) {
  for (size_t i = 0; i < kLimitCount; ++i) {
    EXPECT_EQ(ParseLimits(LimitsText(i)).error().message,
              fmt::format("no line \"{}\"", LimitName(i)));
  }
}

TEST(LimitsTest, ALineThatDoesNotParseIsNamed) {
  EXPECT_EQ(ParseLimits(std::string(kHeading) + "Max open files   1024\n").error().message,
            "line 2: cannot read \"Max open files   1024\"");
  EXPECT_EQ(ParseLimits(LimitsText() + "Max open files 1 1\n").error().message,
            "line 18: cannot read \"Max open files 1 1\"");
}

TEST(LimitsTest, OurOwnLimitsAreThoseOfGetrlimit) {
  const auto limits = ReadLimits(getpid());
  ASSERT_TRUE(limits.has_value()) << limits.error().message;
  for (size_t i = 0; i < kLimitCount; ++i) {
    rlimit expected{};
    ASSERT_EQ(getrlimit(static_cast<__rlimit_resource>(i), &expected), 0);
    EXPECT_EQ(limits.value()[i].rlim_cur, expected.rlim_cur) << LimitName(i);
    EXPECT_EQ(limits.value()[i].rlim_max, expected.rlim_max) << LimitName(i);
  }
}

}  // namespace
}  // namespace ckpt
