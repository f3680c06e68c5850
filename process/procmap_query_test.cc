#include "process/procmap_query.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "base/file.h"

namespace ckpt {
namespace {

constexpr size_t kPage = 4096;

class ProcmapQueryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    maps_ = OpenFile("/proc/self/maps", O_RDONLY).value();
    const auto first = QueryMapping(maps_.get(), "maps", 0);
    if (first.has_error()) GTEST_SKIP() << "no PROCMAP_QUERY: " << first.error().message;
  }

  UniqueFd maps_;
};

TEST_F(ProcmapQueryTest, AnAddressInsideFindsItsMappingAndAHoleTheNextOne) {
  char* area = static_cast<char*>(
      mmap(nullptr, 3 * kPage, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(area, MAP_FAILED);
  ASSERT_EQ(munmap(area, kPage), 0);
  const auto start = reinterpret_cast<uint64_t>(area + kPage);
  for (const uint64_t address : {start - kPage, start, start + kPage + 7}) {
    const auto found = QueryMapping(maps_.get(), "maps", address);
    ASSERT_TRUE(found.has_value() && found.value()) << address;
    EXPECT_EQ(found.value()->start, start);
    EXPECT_EQ(found.value()->protection(), PROT_READ | PROT_EXEC);
    EXPECT_TRUE(found.value()->shared);
    EXPECT_EQ(found.value()->path, "/dev/zero (deleted)");
  }
  munmap(area + kPage, 2 * kPage);
}

TEST_F(ProcmapQueryTest, AfterTheLastMappingThereIsNothing) {
  const auto found = QueryMapping(maps_.get(), "maps", 0x7ffffffff000);
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_FALSE(found.value());
}

TEST_F(ProcmapQueryTest, AFileThatDoesNotKnowTheQueryIsNamed) {
  const UniqueFd null = OpenFile("/dev/null", O_RDONLY).value();
  EXPECT_EQ(QueryMapping(null.get(), "/dev/null", 16).error().message,
            "ioctl(/dev/null, PROCMAP_QUERY, 0x10): Inappropriate ioctl for device (ENOTTY)");
}

}  // namespace
}  // namespace ckpt
