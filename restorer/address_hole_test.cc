#include "restorer/address_hole.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ckpt {
namespace {

using ::testing::ElementsAre;

TEST(SubtractTest, LeavesWhatIsNotCovered) {
  EXPECT_THAT(Subtract({{0, 100}, {200, 300}}, {{290, 400}, {10, 20}, {50, 220}}),
              ElementsAre(RemoteRange{0, 10}, RemoteRange{20, 50}, RemoteRange{220, 290}));
}

TEST(SubtractTest, TouchingRangesTakeNothingAway) {
  EXPECT_THAT(Subtract({{10, 20}}, {{0, 10}, {20, 30}}), ElementsAre(RemoteRange{10, 20}));
}

TEST(FindHoleTest, TakesTheMiddleOfTheWidestGap) {
  const uint64_t top = (uint64_t{1} << 47) - kPageSize;
  const Result<RemoteRange> hole = FindHole({{0x200000, top}, {0x10000, 0x100000}}, 2 * kPageSize);
  ASSERT_TRUE(hole.has_value());
  EXPECT_EQ(hole.value(), (RemoteRange{0x17f000, 0x181000}));
}

TEST(FindHoleTest, OverlappingRangesOfTwoAddressSpacesAreBothAvoided) {
  const uint64_t top = (uint64_t{1} << 47) - kPageSize;
  const Result<RemoteRange> hole =
      FindHole({{0x10000, 0x50000}, {0x20000, 0x40000}, {0x60000, top}}, 0x10000);
  ASSERT_TRUE(hole.has_value());
  EXPECT_EQ(hole.value(), (RemoteRange{0x50000, 0x60000}));
}

TEST(FindHoleTest, SaysHowWideTheWidestGapIsWhenNoneIsWideEnough) {
  const uint64_t top = (uint64_t{1} << 47) - kPageSize;
  const Result<RemoteRange> hole = FindHole({{0x10000, 0x20000}, {0x21000, top}}, 0x2000);
  ASSERT_TRUE(hole.has_error());
  EXPECT_EQ(hole.error().message,
            "no hole of 8192 bytes in the address space, the widest has 4096");
}

}  // namespace
}  // namespace ckpt
