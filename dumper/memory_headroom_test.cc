#include "dumper/memory_headroom.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

namespace ckpt {
namespace {

class MemoryHeadroomTest : public testing::Test {
 protected:
  MemoryHeadroomTest() { std::filesystem::create_directories(hierarchy_ + "/outer/inner"); }
  ~MemoryHeadroomTest() override { std::filesystem::remove_all(hierarchy_); }

  void Write(const std::string& file, const std::string& text) const {
    std::ofstream(hierarchy_ + file) << text;
  }

  const std::string hierarchy_ = testing::TempDir() + "/MemoryHeadroomTest";
};

TEST_F(MemoryHeadroomTest, WithoutLimitsThereIsNone) {
  EXPECT_EQ(CgroupHeadroom(hierarchy_, "/outer/inner", true), UINT64_MAX);
  Write("/outer/memory.max", "max\n");
  Write("/outer/memory.high", "max\n");
  EXPECT_EQ(CgroupHeadroom(hierarchy_, "/outer/inner", true), UINT64_MAX);
  EXPECT_EQ(CgroupHeadroom(hierarchy_, "/", true), UINT64_MAX);
}

TEST_F(MemoryHeadroomTest, TheTightestLimitOfAGroupAndThoseAboveItCounts) {
  Write("/outer/memory.max", "1000000\n");
  Write("/outer/memory.current", "400000\n");
  EXPECT_EQ(CgroupHeadroom(hierarchy_, "/outer/inner", true), 600'000U);
  Write("/outer/memory.high", "500000\n");
  EXPECT_EQ(CgroupHeadroom(hierarchy_, "/outer/inner", true), 100'000U);
  Write("/outer/inner/memory.max", "4096\n");
  Write("/outer/inner/memory.current", "8192\n");
  EXPECT_EQ(CgroupHeadroom(hierarchy_, "/outer/inner", true), 0U);
  EXPECT_EQ(CgroupHeadroom(hierarchy_, "/outer", true), 100'000U);
}

TEST_F(MemoryHeadroomTest, AGroupThatIsKilledAsAWholeHasNone) {
  Write("/outer/memory.oom.group", "0\n");
  EXPECT_EQ(CgroupHeadroom(hierarchy_, "/outer/inner", true), UINT64_MAX);
  Write("/outer/memory.oom.group", "1\n");
  EXPECT_EQ(CgroupHeadroom(hierarchy_, "/outer/inner", true), 0U);
  EXPECT_EQ(CgroupHeadroom(hierarchy_, "/", true), UINT64_MAX);
}

TEST_F(MemoryHeadroomTest, AMachineThatPromisesMemoryOnceHasNone) {
  std::filesystem::create_directories(hierarchy_ + "/sys/vm");
  Write("/meminfo", "MemTotal: 16 kB\nMemAvailable:       8 kB\n");
  EXPECT_EQ(MachineHeadroom(hierarchy_), 8192U);
  Write("/sys/vm/overcommit_memory", "1\n");
  EXPECT_EQ(MachineHeadroom(hierarchy_), 8192U);
  Write("/sys/vm/overcommit_memory", "2\n");
  EXPECT_EQ(MachineHeadroom(hierarchy_), 0U);
}

TEST_F(MemoryHeadroomTest, InactivePageCacheIsLeft) {
  Write("/outer/memory.max", "1000000\n");
  Write("/outer/memory.current", "900000\n");
  Write("/outer/memory.stat", "anon 1\nactive_file 300000\ninactive_file 200000\n");
  EXPECT_EQ(CgroupHeadroom(hierarchy_, "/outer", true), 300'000U);
}

TEST_F(MemoryHeadroomTest, Version1HasOtherNames) {
  Write("/outer/memory.limit_in_bytes", "1000000\n");
  Write("/outer/memory.usage_in_bytes", "900000\n");
  Write("/outer/memory.stat", "inactive_file 1\ntotal_inactive_file 200000\n");
  EXPECT_EQ(CgroupHeadroom(hierarchy_, "/outer/inner", false), 300'000U);
  EXPECT_EQ(CgroupHeadroom(hierarchy_, "/outer/inner", true), UINT64_MAX);
}

TEST_F(MemoryHeadroomTest, AProcessMayNotTakeMoreThanTheMachineHas) {
  const uint64_t headroom = MemoryHeadroom(getpid(), {});
  EXPECT_GT(headroom, 0U);
  EXPECT_LT(headroom, uint64_t{1} << 50);
  EXPECT_EQ(MemoryHeadroom(std::numeric_limits<pid_t>::max(), {}), 0U);
}

}  // namespace
}  // namespace ckpt
