#include "dumper/early_pages.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>

#include "process/child_for_test.h"
#include "process/frozen_process.h"
#include "process/pagemap.h"
#include "process/smaps.h"

namespace ckpt {
namespace {

constexpr size_t kPages = 2000;

// A child has memory at the same address as the test, and changes it when it is told.
class EarlyPagesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!WriteTracking::IsPossible()) GTEST_SKIP() << "the kernel cannot track writes";
    step_ = new (Map(MAP_SHARED, kPageSize)) std::atomic<int>(0);
    area_ = static_cast<char*>(Map(MAP_PRIVATE, kPages * kPageSize));
    madvise(area_, kPages * kPageSize, MADV_NOHUGEPAGE);
  }
  void TearDown() override {
    if (area_ != nullptr) munmap(area_, kPages * kPageSize);
    if (step_ != nullptr) munmap(step_, kPageSize);
  }

  static void* Map(int flags, size_t size_bytes) {
    void* area = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(area, MAP_FAILED);
    return area;
  }
  char* Page(size_t index) const { return area_ + index * kPageSize; }

  void StartChild(const std::function<void()>& change) {
    child_.emplace([this, change](const std::function<void()>& ready) {
      for (size_t i = 0; i < kPages; ++i) std::memset(Page(i), static_cast<int>(i), kPageSize);
      ready();
      while (step_->load() != 1) usleep(100);
      change();
      step_->store(2);
      while (step_->load() == 2) usleep(100);
      return 0;
    });
  }
  void HaveItChange() const {
    step_->store(1);
    while (step_->load() != 2) usleep(100);
  }

  Result<EarlyPages> Copy(const KernelFeatures& features, uint64_t limit_bytes) {
    return EarlyPages::Copy(child_->pid(), features, limit_bytes,
                            [this](std::chrono::microseconds time) { stopped_ += time; });
  }
  EarlyPages Copied() { return Copy(DetectKernelFeatures(), uint64_t{1} << 30).value(); }

  std::vector<RemoteRange> PagesOfArea() const {
    const auto pagemap = PagemapReader::Open(child_->pid(), DetectKernelFeatures()).value();
    const auto start = reinterpret_cast<uint64_t>(area_);
    std::vector<RemoteRange> pages;
    EXPECT_TRUE(pagemap.Scan({start, start + kPages * kPageSize}, PageSelection::kPrivate, pages)
                    .has_value());
    return pages;
  }

  // What the file would be; how many pages were read for it is added to read_pages_.
  std::string FileOf(const PageStage::Source& source) {
    std::string file;
    for (const PageStage::PlacedRange& placed : source.ranges) {
      file.resize(std::max(file.size(), placed.file_offset + placed.range.size_bytes()));
      std::byte* into = placed.slot;
      if (into == nullptr) into = reinterpret_cast<std::byte*>(file.data()) + placed.file_offset;
      const std::span<std::byte> place(into, placed.range.size_bytes());
      EXPECT_TRUE(source.memory->Read(RemotePtr(placed.range.start), place).has_value());
      read_pages_ += place.size() / kPageSize;
    }
    for (const PageStage::HeldPages& held : source.held) {
      file.resize(std::max(file.size(), held.file_offset + held.bytes.size()));
      std::memcpy(file.data() + held.file_offset, held.bytes.data(), held.bytes.size());
    }
    return file;
  }

  // That the early pages, with what is read under a freeze, are what the process has.
  void ExpectTrue(EarlyPages& early) {
    FrozenProcess frozen = FrozenProcess::Freeze(child_->pid()).value();
    const RemoteMemory memory = RemoteMemory::Open(child_->pid()).value();
    const std::vector<RemoteRange> pages = PagesOfArea();
    ASSERT_TRUE(early.FindClean().has_value());
    PageStage::Source source{.memory = &memory, .ranges = {}};
    early.Place(pages, source);
    const std::string file = FileOf(source);
    const size_t read_pages = read_pages_;
    EXPECT_TRUE(file == FileOf({.memory = &memory, .ranges = PageStage::PlaceInOrder(pages)}));
    read_pages_ = read_pages;
    ASSERT_TRUE(frozen.Thaw().has_value());
  }

  char* area_ = nullptr;
  std::atomic<int>* step_ = nullptr;
  std::optional<ChildForTest> child_;
  size_t read_pages_ = 0;
  std::chrono::microseconds stopped_{};
};

TEST_F(EarlyPagesTest, OfAProcessThatDoesNothingNothingIsReadAgain) {
  StartChild([] {});
  EarlyPages early = Copied();
  EXPECT_GE(early.size_bytes(), kPages * kPageSize);
  EXPECT_GT(stopped_.count(), 0);
  HaveItChange();
  ExpectTrue(early);
  EXPECT_EQ(read_pages_, 0U);
}

TEST_F(EarlyPagesTest, WhatWasWrittenToIsReadAgain) {
  StartChild([this] {
    for (size_t i = 0; i < kPages; i += 3) Page(i)[7] = 'w';
  });
  EarlyPages early = Copied();
  HaveItChange();
  ExpectTrue(early);
  EXPECT_EQ(read_pages_, (kPages + 2) / 3);
}

TEST_F(EarlyPagesTest, MemoryThatCameAndWentIsAsItIs) {
  StartChild([this] {
    munmap(Page(10), 5 * kPageSize);
    madvise(Page(100), 50 * kPageSize, MADV_DONTNEED);
    Page(120)[0] = 'n';
    mmap(Page(200), 30 * kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
         -1, 0);
    std::memset(Page(210), 'm', 10 * kPageSize);
    mremap(Page(300), 40 * kPageSize, 40 * kPageSize, MREMAP_MAYMOVE | MREMAP_FIXED, Page(500));
    mprotect(Page(700), 10 * kPageSize, PROT_NONE);
  });
  EarlyPages early = Copied();
  HaveItChange();
  ExpectTrue(early);
  EXPECT_GE(read_pages_, 1U + 10 + 40);
  EXPECT_LT(read_pages_, 300U);
}

TEST_F(EarlyPagesTest, AProcessThatMayOpenNothingMoreIsAsItWas) {
  StartChild([] {});
  const rlimit none = {0, 0};
  ASSERT_EQ(prlimit(child_->pid(), RLIMIT_NOFILE, &none, nullptr), 0);
  const std::vector<Mapping> before = ReadSmaps(child_->pid()).value();
  EXPECT_THAT(Copy(DetectKernelFeatures(), 1 << 30).error().message,
              testing::HasSubstr("userfaultfd("));
  EXPECT_EQ(ReadSmaps(child_->pid()).value().size(), before.size());
  HaveItChange();
}

// The new program has other memory, also where the old one had some.
TEST_F(EarlyPagesTest, AfterAnExecNothingIsTaken) {
  StartChild([] { execl("/bin/sleep", "sleep", "1000", nullptr); });
  EarlyPages early = Copied();
  step_->store(1);
  const std::string exe = fmt::format("/proc/{}/exe", child_->pid());
  while (std::filesystem::read_symlink(exe) == std::filesystem::read_symlink("/proc/self/exe")) {
    usleep(100);
  }
  FrozenProcess frozen = FrozenProcess::Freeze(child_->pid()).value();
  ASSERT_TRUE(early.FindClean().has_value());
  const auto start = reinterpret_cast<uint64_t>(area_);
  const std::vector<RemoteRange> pages = {{start, start + kPages * kPageSize}};
  PageStage::Source source{.memory = nullptr, .ranges = {}};
  early.Place(pages, source);
  size_t read_bytes = 0;
  for (const PageStage::PlacedRange& placed : source.ranges)
    read_bytes += placed.range.size_bytes();
  EXPECT_EQ(read_bytes, kPages * kPageSize);
}

TEST_F(EarlyPagesTest, TheTrackingShowsInSmapsAndIsHiddenAndGone) {
  StartChild([] {});
  const auto is_tracked = [](const std::vector<Mapping>& smaps) {
    return std::ranges::any_of(smaps, [](const Mapping& mapping) {
      return mapping.usage->flags.Has(VmFlag::kUffdWriteProtect);
    });
  };
  const auto ranges = [](const std::vector<Mapping>& smaps) {
    std::vector<std::pair<uint64_t, uint64_t>> found;
    for (const Mapping& mapping : smaps) found.emplace_back(mapping.start, mapping.end);
    return found;
  };
  const std::vector<Mapping> before = ReadSmaps(child_->pid()).value();
  EarlyPages early = Copied();
  std::vector<Mapping> smaps = ReadSmaps(child_->pid()).value();
  EXPECT_TRUE(is_tracked(smaps));
  early.HideFrom(smaps);
  EXPECT_FALSE(is_tracked(smaps));
  early.EndTracking();
  const std::vector<Mapping> after = ReadSmaps(child_->pid()).value();
  EXPECT_FALSE(is_tracked(after));
  EXPECT_EQ(ranges(after), ranges(before));
}

TEST_F(EarlyPagesTest, WhatIsTooMuchOrStoppedIsNotCopied) {
  StartChild([] {});
  const KernelFeatures features = DetectKernelFeatures();
  EXPECT_THAT(Copy(features, kPageSize).error().message, testing::HasSubstr("4096 allowed"));
  kill(child_->pid(), SIGSTOP);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child_->pid()), &info, WSTOPPED | WNOWAIT);
  EXPECT_EQ(Copy(features, 1 << 30).error().message, "it is stopped");
}

}  // namespace
}  // namespace ckpt
