#include "dumper/shared_reading.h"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>
#include <vector>

namespace ckpt {
namespace {

std::vector<int> NumbersTo(int count) {
  std::vector<int> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

Result<int> Same(int number) { return number; }

TEST(SharedReadingTest, AllIsTakenInItsOrderByTheCaller) {
  const std::vector<int> numbers = NumbersTo(1000);
  SharedReading<int> reading(numbers, Same);
  std::vector<int> taken;
  const std::thread::id caller = std::this_thread::get_id();
  const Result<> all = reading.TakeAll([&](int value) -> Result<> {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    taken.push_back(value);
    return success();
  });
  EXPECT_TRUE(all.has_value());
  EXPECT_EQ(taken, numbers);
}

TEST(SharedReadingTest, OfAnErrorAllThatIsBeforeItsChunkIsTaken) {
  const std::vector<int> numbers = NumbersTo(1000);
  SharedReading<int> reading(numbers, [](int number) -> Result<int> {
    if (number == 500) return MakeError(ErrorCode::kSystem, "number {}", number);
    return number;
  });
  int last = -1;
  const Result<> all = reading.TakeAll([&](int value) -> Result<> {
    last = value;
    return success();
  });
  EXPECT_EQ(all.error().message, "number 500");
  EXPECT_LT(last, 500);
  EXPECT_GE(last, 400);
}

TEST(SharedReadingTest, TheTakersErrorEndsIt) {
  const std::vector<int> numbers = NumbersTo(1000);
  SharedReading<int> reading(numbers, Same);
  const Result<> all = reading.TakeAll([](int value) -> Result<> {
    if (value < 7) return success();
    return MakeError(ErrorCode::kSystem, "enough at {}", value);
  });
  EXPECT_EQ(all.error().message, "enough at 7");
}

TEST(SharedReadingTest, OfNothingNothingIsTaken) {
  SharedReading<int> reading({}, Same);
  EXPECT_TRUE(reading
                  .TakeAll([](int) -> Result<> {
                    ADD_FAILURE();
                    return success();
                  })
                  .has_value());
}

}  // namespace
}  // namespace ckpt
