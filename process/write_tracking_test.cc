#include "process/write_tracking.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "process/kernel_features.h"

namespace ckpt {
namespace {

// Of this very process.
class WriteTrackingTest : public testing::Test {
 protected:
  static constexpr size_t kPages = 1024;

  void SetUp() override {
    if (!DetectKernelFeatures().pagemap_scan) GTEST_SKIP() << "the kernel has no PAGEMAP_SCAN";
    area_ = Map(nullptr, kPages, 0);
    std::memset(area_, 1, kPages * kPageSize);
    StartTracking();
  }
  void StartTracking() {
    userfault_ = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
    ASSERT_GE(userfault_, 0);
    tracking_.reset();
    tracking_.emplace(WriteTracking::Create(getpid(), UniqueFd(userfault_)).value());
  }
  void TearDown() override {
    tracking_.reset();
    if (area_ != nullptr) munmap(area_, kPages * kPageSize);
  }

  static char* Map(void* at, size_t pages, int flags) {
    void* area = mmap(at, pages * kPageSize, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    EXPECT_NE(area, MAP_FAILED);
    madvise(area, pages * kPageSize, MADV_NOHUGEPAGE);
    return static_cast<char*>(area);
  }

  void MovePage(size_t from, size_t to) const {
    char* there = area_ + to * kPageSize;
    ASSERT_EQ(mremap(area_ + from * kPageSize, kPageSize, kPageSize, MREMAP_MAYMOVE | MREMAP_FIXED,
                     there),
              there);
  }

  static size_t PagesOf(const std::vector<RemoteRange>& ranges) {
    return std::accumulate(
        ranges.begin(), ranges.end(), size_t{0},
        [](size_t sum, const RemoteRange& range) { return sum + range.size_bytes() / kPageSize; });
  }
  size_t TrackArea() {
    std::vector<RemoteRange> pages;
    const auto start = reinterpret_cast<uint64_t>(area_);
    EXPECT_TRUE(tracking_->Track({start, start + kPages * kPageSize}, pages).has_value());
    return PagesOf(pages);
  }
  std::vector<RemoteRange> Clean() const {
    std::vector<RemoteRange> clean;
    EXPECT_TRUE(tracking_->FindClean(clean).has_value());
    return clean;
  }
  bool IsClean(size_t page) const {
    const auto address = reinterpret_cast<uint64_t>(area_) + page * kPageSize;
    const auto clean = Clean();
    return std::ranges::any_of(clean, [&](const RemoteRange& range) {
      return range.start <= address && address < range.end;
    });
  }

  char* area_ = nullptr;
  int userfault_ = -1;  // of tracking_
  std::optional<WriteTracking> tracking_;
};

TEST_F(WriteTrackingTest, PagesAreCleanUntilTheyAreWrittenTo) {
  madvise(area_ + 8 * kPageSize, kPageSize, MADV_DONTNEED);
  EXPECT_EQ(TrackArea(), kPages - 1);
  EXPECT_EQ(PagesOf(Clean()), kPages - 1);
  area_[5 * kPageSize] = 2;
  area_[8 * kPageSize] = 2;  // made after the tracking began
  EXPECT_FALSE(IsClean(5));
  EXPECT_FALSE(IsClean(8));
  EXPECT_EQ(PagesOf(Clean()), kPages - 2);
}

TEST_F(WriteTrackingTest, WhatTheKernelWritesForTheProcessCounts) {
  TrackArea();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  ASSERT_EQ(read(ends[0], area_ + 7 * kPageSize, 1), 1);
  close(ends[0]);
  close(ends[1]);
  EXPECT_FALSE(IsClean(7));
  EXPECT_TRUE(IsClean(6));
}

TEST_F(WriteTrackingTest, MemoryThatTookTheAddressIsNotClean) {
  TrackArea();
  char* other = Map(nullptr, 4, 0);
  std::memset(other, 3, 4 * kPageSize);
  ASSERT_EQ(mremap(other, 4 * kPageSize, 4 * kPageSize, MREMAP_MAYMOVE | MREMAP_FIXED, area_),
            area_);
  Map(area_ + 10 * kPageSize, 1, MAP_FIXED)[0] = 4;
  // Pages that are tracked themselves are not where they were.
  ASSERT_EQ(mremap(area_ + 100 * kPageSize, 4 * kPageSize, 4 * kPageSize,
                   MREMAP_MAYMOVE | MREMAP_FIXED, area_ + 200 * kPageSize),
            area_ + 200 * kPageSize);
  for (const size_t page : {0, 3, 10, 100, 200, 203}) EXPECT_FALSE(IsClean(page)) << page;
  for (const size_t page : {4, 9, 11, 199, 204}) EXPECT_TRUE(IsClean(page)) << page;
}

// What mremap(2) leaves of a tracking that it ends: pages that are marked, and can be written to.
// It does so where what is moved joins the mapping beside it, as a page that comes back to its
// place.
TEST_F(WriteTrackingTest, MarksOfAnEarlierTrackingMeanNothing) {
  MovePage(500, 900);
  Map(area_ + 500 * kPageSize, 1, MAP_FIXED);
  TrackArea();
  ASSERT_EQ(PagesOf(Clean()), kPages - 1);
  MovePage(900, 500);
  Map(area_ + 900 * kPageSize, 1, MAP_FIXED);
  EXPECT_LT(PagesOf(Clean()), kPages / 2);
  for (size_t page = 0; page < kPages; ++page) area_[page * kPageSize] = 2;
  // So that WriteTracking can do nothing more at its end.
  ASSERT_EQ(dup2(STDIN_FILENO, userfault_), userfault_);
  StartTracking();
  EXPECT_EQ(TrackArea(), kPages);
  for (size_t page = 0; page < kPages; ++page) area_[page * kPageSize] = 3;
  EXPECT_EQ(PagesOf(Clean()), 0U);
}

TEST_F(WriteTrackingTest, NothingOfItIsLeft) {
  TrackArea();
  tracking_.reset();
  area_[0] = 5;
  StartTracking();
  EXPECT_EQ(TrackArea(), kPages) << "somebody else's tracking would be EBUSY";
}

}  // namespace
}  // namespace ckpt
