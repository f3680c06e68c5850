#include "formats/page_workers.h"

#include <gtest/gtest.h>

#include <vector>

namespace ckpt {
namespace {

TEST(PageWorkersTest, WorksOnEveryPieceOnce) {
  for (const size_t threads : {0U, 1U, 2U, 7U}) {
    std::vector<int> done(100, 0);
    ASSERT_TRUE(WorkOnPieces(done.size(), threads, [&](size_t index) -> Result<> {
      ++done[index];
      return success();
    }));
    EXPECT_EQ(done, std::vector<int>(100, 1));
  }
}

TEST(PageWorkersTest, PiecesPassInOrder) {
  PieceOrder order;
  std::vector<size_t> passed;
  ASSERT_TRUE(WorkOnPieces(1000, 4, [&](size_t index) -> Result<> {
    EXPECT_TRUE(order.Pass(index, [&] { passed.push_back(index); }));
    return success();
  }));
  ASSERT_EQ(passed.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(passed.begin(), passed.end()));
}

TEST(PageWorkersTest, AFailureEndsThoseWhoWaitForIt) {
  PieceOrder order;
  const auto work = [&](size_t index) -> Result<> {
    if (index == 3) return MakeError(ErrorCode::kSystem, "no");
    order.Pass(index, [] {});
    return success();
  };
  auto done = WorkOnPieces(1000, 4, work, [&] { order.Stop(); });
  ASSERT_TRUE(done.has_error());
  EXPECT_EQ(done.error().message, "no");
}

TEST(PageWorkersTest, ProgressCanEndTheWork) {
  PageCount count(
      [](uint64_t done_bytes, uint64_t total_bytes) -> Result<> {
        EXPECT_EQ(total_bytes, 100U);
        if (done_bytes < 30) return success();
        return MakeError(ErrorCode::kSystem, "interrupted at {}", done_bytes);
      },
      100);
  auto done = WorkOnPieces(10, 2, [&](size_t) { return count.Add(10); });
  ASSERT_TRUE(done.has_error());
  EXPECT_TRUE(done.error().message.starts_with("interrupted at ")) << done.error().message;
}

}  // namespace
}  // namespace ckpt
