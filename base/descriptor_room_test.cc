#include "base/descriptor_room.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace ckpt {
namespace {

// FDSize of /proc/self/status.
uint64_t TableSize() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "FDSize:") continue;
    uint64_t size = 0;
    status >> size;
    return size;
  }
  return 0;
}

size_t CountDescriptors() {
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(descriptors), end(descriptors)));
}

TEST(DescriptorRoomTest, TheTableIsLargeEnoughAndNothingStaysOpen) {
  const size_t count = CountDescriptors();
  ASSERT_LT(TableSize(), 700U);
  MakeRoomForDescriptors(700);
  EXPECT_GE(TableSize(), 700U);
  EXPECT_EQ(CountDescriptors(), count);
}

TEST(DescriptorRoomTest, TheLimitIsNotExceeded) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit low{100, limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &low);
  const uint64_t size = TableSize();
  const size_t count = CountDescriptors();
  MakeRoomForDescriptors(uint64_t{1} << 40);
  MakeRoomForDescriptors(0);
  EXPECT_LE(TableSize(), std::max<uint64_t>(size, 256));
  EXPECT_EQ(CountDescriptors(), count);
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace ckpt
