#include "process/pagemap.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/file.h"

namespace ckpt {
namespace {

// From the kernel's headers of 6.13; older ones do not have it.
constexpr int kMadviseGuardInstall = 102;

KernelFeatures FeaturesOf(bool scan) {
  const KernelFeatures here = DetectKernelFeatures();
  return {.pagemap_scan = scan, .pagemap_guard = here.pagemap_guard};
}

// Each test runs with PAGEMAP_SCAN and with the entries of pagemap.
class PagemapTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam() && !DetectKernelFeatures().pagemap_scan) {
      GTEST_SKIP() << "the kernel has no PAGEMAP_SCAN";
    }
  }

  void TearDown() override {
    for (const RemoteRange& area : areas_) {
      munmap(reinterpret_cast<void*>(area.start), area.size_bytes());
    }
  }

  // An area of our own; fd -1 for anonymous memory.
  char* Map(size_t page_count, int protection, int flags, int fd = -1) {
    const size_t size = page_count * kPageSize;
    void* area = mmap(nullptr, size, protection, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
    EXPECT_NE(area, MAP_FAILED);
    madvise(area, size, MADV_NOHUGEPAGE);
    const auto start = reinterpret_cast<uint64_t>(area);
    areas_.push_back({start, start + size});
    return static_cast<char*>(area);
  }
  char* MapAnonymous(size_t page_count) {
    return Map(page_count, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  }

  // The pages of the last area, as numbers from its start.
  std::vector<RemoteRange> Scan(PageSelection selection) {
    const auto reader = PagemapReader::Open(getpid(), FeaturesOf(GetParam()));
    EXPECT_TRUE(reader.has_value()) << reader.error().message;
    std::vector<RemoteRange> found;
    const RemoteRange area = areas_.back();
    const auto result = reader.value().Scan(area, selection, found);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    for (RemoteRange& range : found) {
      range = {(range.start - area.start) / kPageSize, (range.end - area.start) / kPageSize};
    }
    return found;
  }

  std::vector<RemoteRange> areas_;
};

using Pages = std::vector<RemoteRange>;

void Write(char* area, size_t page) { *static_cast<volatile char*>(area + page * kPageSize) = 1; }
char Read(const char* area, size_t page) {
  return *static_cast<const volatile char*>(area + page * kPageSize);
}

UniqueFd MakeFile(size_t page_count) {
  const std::string path = ::testing::TempDir() + "/pagemap";
  EXPECT_TRUE(
      WriteWholeFile(path, AsBytes(std::string(page_count * kPageSize, 'f')), 0600).has_value());
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  unlink(path.c_str());
  return fd;
}

TEST_P(PagemapTest, UntouchedMemoryHasNoPages) {
  MapAnonymous(8);
  EXPECT_EQ(Scan(PageSelection::kPrivate), Pages());
  EXPECT_EQ(Scan(PageSelection::kPopulated), Pages());
}

TEST_P(PagemapTest, WrittenPagesAreFoundAndNeighboursJoined) {
  char* area = MapAnonymous(8);
  for (const size_t page : {0, 2, 3, 7}) Write(area, page);
  EXPECT_EQ(Scan(PageSelection::kPrivate), (Pages{{0, 1}, {2, 4}, {7, 8}}));
}

TEST_P(PagemapTest, ThePageThatWasOnlyReadIsTheZeroPage) {
  char* area = MapAnonymous(4);
  EXPECT_EQ(Read(area, 1), 0);
  Write(area, 2);
  EXPECT_EQ(Scan(PageSelection::kPrivate), (Pages{{2, 3}}));
  EXPECT_EQ(Scan(PageSelection::kPopulated), (Pages{{2, 3}}));
}

TEST_P(PagemapTest, TheHugeZeroPageIsNoData) {
  constexpr size_t kHugePages = 512;
  char* area = MapAnonymous(2 * kHugePages);
  ASSERT_EQ(madvise(area, 2 * kHugePages * kPageSize, MADV_HUGEPAGE), 0);
  for (size_t page = 0; page < 2 * kHugePages; page += 16) EXPECT_EQ(Read(area, page), 0);
  EXPECT_EQ(Scan(PageSelection::kPrivate), Pages());
}

TEST_P(PagemapTest, APageThatIsProtectedAfterTheWriteIsStillData) {
  char* area = MapAnonymous(2);
  Write(area, 1);
  ASSERT_EQ(mprotect(area, 2 * kPageSize, PROT_NONE), 0);
  EXPECT_EQ(Scan(PageSelection::kPrivate), (Pages{{1, 2}}));
}

TEST_P(PagemapTest, OfAPrivateFileMappingOnlyCopiedPagesArePrivate) {
  const UniqueFd fd = MakeFile(4);
  char* area = Map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd.get());
  for (size_t page = 0; page < 3; ++page) EXPECT_EQ(Read(area, page), 'f');
  Write(area, 1);
  EXPECT_EQ(Scan(PageSelection::kPrivate), (Pages{{1, 2}}));
  const Pages populated = Scan(PageSelection::kPopulated);
  ASSERT_EQ(populated.size(), 1U);
  EXPECT_EQ(populated[0].start, 0U);
  // The kernel may map the pages around a fault too.
  EXPECT_GE(populated[0].end, 3U);
}

TEST_P(PagemapTest, SharedMemoryIsPopulatedAndNotPrivate) {
  char* area = Map(4, PROT_READ | PROT_WRITE, MAP_SHARED);
  Write(area, 1);
  EXPECT_EQ(Scan(PageSelection::kPrivate), Pages());
  EXPECT_EQ(Scan(PageSelection::kPopulated), (Pages{{1, 2}}));
}

TEST_P(PagemapTest, GuardPagesAreNoDataAndToldApart) {
  if (!DetectKernelFeatures().pagemap_guard) GTEST_SKIP() << "the kernel shows no guard pages";
  char* area = MapAnonymous(4);
  for (size_t page = 0; page < 4; ++page) Write(area, page);
  ASSERT_EQ(madvise(area + kPageSize, 2 * kPageSize, kMadviseGuardInstall), 0);
  EXPECT_EQ(Scan(PageSelection::kPrivate), (Pages{{0, 1}, {3, 4}}));
  EXPECT_EQ(Scan(PageSelection::kPopulated), (Pages{{0, 1}, {3, 4}}));
  EXPECT_EQ(Scan(PageSelection::kGuard), (Pages{{1, 3}}));
}

TEST_P(PagemapTest, MoreRangesThanOneCallHoldsAreAllFound) {
  constexpr size_t kPages = 5000;
  char* area = MapAnonymous(kPages);
  Pages expected;
  for (size_t page = 0; page < kPages; page += 2) {
    Write(area, page);
    expected.push_back({page, page + 1});
  }
  EXPECT_EQ(Scan(PageSelection::kPrivate), expected);
}

TEST_P(PagemapTest, RangesThatTheKernelHandsOverInTwoPartsAreFoundOnce) {
  for (const size_t count : {511, 512, 513, 904, 1024, 1537, 5000}) {
    char* area = MapAnonymous(2 * count);
    Pages expected;
    for (size_t i = 0; i < count; ++i) {
      area[2 * i * kPageSize] = 1;
      expected.push_back({2 * i, 2 * i + 1});
    }
    EXPECT_EQ(Scan(PageSelection::kPopulated), expected) << count;
  }
}

TEST_P(PagemapTest, ChunksJoinAcrossTheirBorders) {
  // The fallback reads 65,536 entries at a time.
  constexpr size_t kPages = 65536 + 16;
  char* area = Map(kPages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
  for (size_t page = 65530; page < 65542; ++page) Write(area, page);
  EXPECT_EQ(Scan(PageSelection::kPrivate), (Pages{{65530, 65542}}));
}

TEST_P(PagemapTest, AHugeReservationIsScannedInBoundedMemory) {
  // The fallback takes its time for a terabyte, which proves nothing more than 16 GB do.
  const size_t pages = (GetParam() ? 1ULL << 40 : 16ULL << 30) / kPageSize;
  char* area = Map(pages, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
  char* last = area + (pages - 1) * kPageSize;
  ASSERT_EQ(mprotect(last, kPageSize, PROT_READ | PROT_WRITE), 0);
  Write(last, 0);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Scan(PageSelection::kPrivate), (Pages{{pages - 1, pages}}));
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  RecordProperty("microseconds", static_cast<int>(taken.count() * 1e6));
}

TEST_P(PagemapTest, RangesThatFollowOnWhatWasFoundJoinIt) {
  char* area = MapAnonymous(2);
  Write(area, 0);
  Write(area, 1);
  const auto reader = PagemapReader::Open(getpid(), FeaturesOf(GetParam()));
  const auto start = reinterpret_cast<uint64_t>(area);
  Pages found;
  for (const uint64_t page : {start, start + kPageSize}) {
    const RemoteRange range{page, page + kPageSize};
    ASSERT_TRUE(reader.value().Scan(range, PageSelection::kPrivate, found).has_value());
  }
  EXPECT_EQ(found, (Pages{{start, start + 2 * kPageSize}}));
}

TEST_P(PagemapTest, AMissingProcessIsNotFound) {
  const auto reader = PagemapReader::Open(4194304, FeaturesOf(GetParam()));
  EXPECT_EQ(reader.error().code, ErrorCode::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(BothWays, PagemapTest, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "Scan" : "Entries"; });

}  // namespace
}  // namespace ckpt
