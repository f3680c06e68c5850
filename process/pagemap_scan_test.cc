#include "process/pagemap_scan.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <vector>

#include "base/file.h"

namespace ckpt {
namespace {

constexpr auto kPresent = static_cast<uint64_t>(PageCategory::kPresentPage);
constexpr auto kZero = static_cast<uint64_t>(PageCategory::kZeroFrame);

class PagemapScanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    pagemap_ = OpenFile("/proc/self/pagemap", O_RDONLY).value();
    const auto probe = ScanPages(pagemap_.get(), "pagemap", {0x1000, 0x2000}, {.any_of = kPresent},
                                 [](RemoteRange) {});
    if (probe.has_error()) GTEST_SKIP() << "no PAGEMAP_SCAN: " << probe.error().message;
    area_ = static_cast<char*>(
        mmap(nullptr, 3 * kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(area_, MAP_FAILED);
    static_cast<volatile char*>(area_)[0] = 1;
    static_cast<void>(static_cast<volatile char*>(area_)[kPageSize]);
  }
  void TearDown() override {
    if (area_ != nullptr) munmap(area_, 3 * kPageSize);
  }

  uint64_t Page(size_t number) const {
    return reinterpret_cast<uint64_t>(area_) + number * kPageSize;
  }
  std::vector<RemoteRange> Scan(CategoryFilter filter) {
    std::vector<RemoteRange> found;
    const auto result = ScanPages(pagemap_.get(), "pagemap", {Page(0), Page(3)}, filter,
                                  [&found](RemoteRange range) { found.push_back(range); });
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return found;
  }

  UniqueFd pagemap_;
  char* area_ = nullptr;
};

TEST_F(PagemapScanTest, ThePagesOfACategoryAreFound) {
  EXPECT_EQ(Scan({.any_of = kPresent}), (std::vector<RemoteRange>{{Page(0), Page(2)}}));
  EXPECT_EQ(Scan({.any_of = kZero}), (std::vector<RemoteRange>{{Page(1), Page(2)}}));
}

TEST_F(PagemapScanTest, PagesOfAnUnwantedCategoryAreLeftOut) {
  EXPECT_EQ(Scan({.none_of = kZero, .any_of = kPresent}),
            (std::vector<RemoteRange>{{Page(0), Page(1)}}));
}

TEST_F(PagemapScanTest, AFailedScanNamesTheRange) {
  const auto result = ScanPages(pagemap_.get(), "pagemap", {0x1001, 0x3000}, {.any_of = kPresent},
                                [](RemoteRange) {});
  EXPECT_EQ(result.error().message,
            "ioctl(pagemap, PAGEMAP_SCAN, 0x1001-0x3000): Invalid argument (EINVAL)");
}

}  // namespace
}  // namespace ckpt
