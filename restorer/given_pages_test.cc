#include "restorer/given_pages.h"

#include <gtest/gtest.h>

#include "formats/page_frames.h"

namespace ckpt {
namespace {

PagesPlan RunAt(uint64_t start, uint64_t page_count, size_t source, uint64_t offset_bytes) {
  return {.range = {start, start + page_count * kPageSize},
          .source = source,
          .offset_bytes = offset_bytes};
}

TEST(GivenPagesTest, RunsOfOneFrameAreReadAtOnce) {
  const std::vector<PagesPlan> pages = {
      RunAt(0x10000, 2, 1, 0), RunAt(0x20000, 1, 1, 3 * kPageSize), RunAt(0x30000, 1, 0, 0)};
  const auto given = PlanGivenPages(pages, {false, true});
  ASSERT_EQ(given.size(), 1U);
  EXPECT_EQ(given[0].source, 1U);
  EXPECT_EQ(given[0].offset_bytes, 0U);
  EXPECT_EQ(given[0].size_bytes, 4 * kPageSize);
  EXPECT_EQ(given[0].runs.size(), 2U);
}

TEST(GivenPagesTest, RunsAreCutAtTheBoundsOfFrames) {
  const uint64_t frame_pages = kPageFrameBytes / kPageSize;
  const std::vector<PagesPlan> pages = {RunAt(0x10000, 2 * frame_pages, 0, kPageSize)};
  const auto given = PlanGivenPages(pages, {true});
  ASSERT_EQ(given.size(), 3U);
  EXPECT_EQ(given[0].size_bytes, kPageFrameBytes - kPageSize);
  EXPECT_EQ(given[1].offset_bytes, kPageFrameBytes);
  EXPECT_EQ(given[1].size_bytes, kPageFrameBytes);
  EXPECT_EQ(given[1].runs[0].range.start, 0x10000 + kPageFrameBytes - kPageSize);
  EXPECT_EQ(given[2].size_bytes, kPageSize);
  EXPECT_EQ(given[2].runs[0].range.end, 0x10000 + 2 * kPageFrameBytes);
}

TEST(GivenPagesTest, AnImageMayBeGoneBackIn) {
  const auto given = PlanGivenPages(
      std::vector<PagesPlan>{RunAt(0x10000, 1, 0, kPageSize), RunAt(0x20000, 1, 0, 0)}, {true});
  ASSERT_EQ(given.size(), 2U);
  EXPECT_EQ(given[1].offset_bytes, 0U);
}

TEST(GivenPagesTest, PlainImagesAreLeftToTheTask) {
  EXPECT_TRUE(PlanGivenPages(std::vector<PagesPlan>{RunAt(0x10000, 1, 0, 0)}, {false}).empty());
}

}  // namespace
}  // namespace ckpt
