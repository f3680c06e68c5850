#include "formats/ordered_work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace ckpt {
namespace {

TEST(OrderedWork, TakesResultsInTheOrderOfTheWork) {
  for (const size_t threads : {1, 2, 5}) {
    std::vector<int> results(1000);
    std::vector<int> taken;
    OrderedWork work(threads, 7);
    for (int i = 0; i < 1000; ++i) {
      work.Add([&results, i] { results[static_cast<size_t>(i)] = i * i; },
               [&, i] { taken.push_back(results[static_cast<size_t>(i)]); });
    }
    work.Finish();
    ASSERT_EQ(taken.size(), 1000u);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(taken[static_cast<size_t>(i)], i * i);
  }
}

TEST(OrderedWork, HasNoMoreInFlightThanAllowed) {
  constexpr size_t kMost = 3;
  std::atomic<size_t> begun{0};
  size_t taken = 0;
  OrderedWork work(2, kMost);
  for (int i = 0; i < 100; ++i) {
    work.Add([&begun] { ++begun; }, [&taken] { ++taken; });
    EXPECT_LE(begun - taken, kMost);
  }
  work.Finish();
  EXPECT_EQ(taken, 100u);
}

TEST(OrderedWork, LetsWorkWaitUntilAllBeforeItIsTaken) {
  std::atomic<int> taken{0};
  std::vector<int> seen(50);
  OrderedWork work(4, 8);
  for (int i = 0; i < 50; ++i) {
    const uint64_t number = work.next_number();
    work.Add(
        [&, i, number] {
          EXPECT_TRUE(work.WaitForTurn(number));
          seen[static_cast<size_t>(i)] = taken;
        },
        [&taken] { ++taken; });
  }
  work.Finish();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
}

TEST(OrderedWork, EndsWithWorkThatIsNeverTaken) {
  std::atomic<int> turns{0};
  {
    OrderedWork work(2, 4);
    work.Add([] {}, [] {});
    const uint64_t number = work.next_number();
    work.Add([&, number] { turns += work.WaitForTurn(number) ? 1 : 0; }, [] {});
  }
  EXPECT_EQ(turns, 0);
}

}  // namespace
}  // namespace ckpt
