#include "process/pagemap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "process/pagemap_scan.h"

namespace ckpt {

namespace {

// Documentation/admin-guide/mm/pagemap.rst
constexpr uint64_t kPresent = 1ULL << 63;
constexpr uint64_t kSwapped = 1ULL << 62;
constexpr uint64_t kFileOrShared = 1ULL << 61;
constexpr uint64_t kGuardPage = 1ULL << 58;  // 6.15
constexpr uint64_t kFrameMask = (1ULL << 55) - 1;

constexpr size_t kChunkEntries = 65536;
constexpr uint64_t kHugePageSize = 2 << 20;

Result<size_t> ReadEntries(int fd, const std::string& path, uint64_t start,
                           std::span<uint64_t> entries) {
  const auto offset = static_cast<off_t>(start / kPageSize * sizeof(uint64_t));
  const ssize_t got = pread(fd, entries.data(), entries.size_bytes(), offset);
  const int saved = errno;
  if (got < 0) return ErrnoError(saved, "pread(\"{}\", address {:#x})", path, start);
  if (got == 0) {
    return MakeError(ErrorCode::kProcessGone, "{}: no entry for address {:#x}", path, start);
  }
  return static_cast<size_t>(got) / sizeof(uint64_t);
}

uint64_t FrameOf(uint64_t entry) { return (entry & kPresent) != 0 ? entry & kFrameMask : 0; }

// The frame of a page of our own that has only been read; 0 when the kernel hides it.
uint64_t OwnFrame(int own_pagemap, const char* address) {
  *static_cast<const volatile char*>(address);
  uint64_t entry = 0;
  const auto read = ReadEntries(own_pagemap, "/proc/self/pagemap",
                                reinterpret_cast<uint64_t>(address), std::span(&entry, 1));
  return read.has_value() ? FrameOf(entry) : 0;
}

void* MapAnonymous(size_t size_bytes) {
  return mmap(nullptr, size_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

uint64_t FindSmallZeroFrame(int own_pagemap) {
  void* page = MapAnonymous(kPageSize);
  if (page == MAP_FAILED) return 0;
  madvise(page, kPageSize, MADV_NOHUGEPAGE);
  const uint64_t frame = OwnFrame(own_pagemap, static_cast<const char*>(page));
  munmap(page, kPageSize);
  return frame;
}

// 0 as well when transparent huge pages are off: the frame is then not aligned as a huge page's.
uint64_t FindHugeZeroFrame(int own_pagemap) {
  void* area = MapAnonymous(2 * kHugePageSize);
  if (area == MAP_FAILED) return 0;
  madvise(area, 2 * kHugePageSize, MADV_HUGEPAGE);
  const auto address = reinterpret_cast<uintptr_t>(area);
  const uintptr_t skip = (kHugePageSize - address % kHugePageSize) % kHugePageSize;
  const uint64_t first = OwnFrame(own_pagemap, static_cast<const char*>(area) + skip);
  const uint64_t last =
      OwnFrame(own_pagemap, static_cast<const char*>(area) + skip + kHugePageSize - kPageSize);
  munmap(area, 2 * kHugePageSize);
  return last - first == kHugePageSize / kPageSize - 1 ? first : 0;
}

CategoryFilter FilterOf(PageSelection selection, bool guards_known) {
  using enum PageCategory;
  const uint64_t guard = guards_known ? static_cast<uint64_t>(kGuard) : 0;
  const uint64_t zero_or_guard = static_cast<uint64_t>(kZeroFrame) | guard;
  const uint64_t here = static_cast<uint64_t>(kPresentPage) | static_cast<uint64_t>(kSwappedPage);
  switch (selection) {
    case PageSelection::kPrivate:
      return {.none_of = zero_or_guard | static_cast<uint64_t>(kFilePage), .any_of = here};
    case PageSelection::kPopulated:
      return {.none_of = zero_or_guard, .any_of = here};
    case PageSelection::kGuard:
      return {.none_of = 0, .any_of = guard};
  }
  CKPT_CHECK(false);
}

}  // namespace

void AppendRange(RemoteRange range, std::vector<RemoteRange>& found) {
  if (!found.empty() && found.back().end == range.start) {
    found.back().end = range.end;
  } else {
    found.push_back(range);
  }
}

Result<PagemapReader> PagemapReader::Open(pid_t pid, const KernelFeatures& features) {
  std::string path = fmt::format("/proc/{}/pagemap", pid);
  CKPT_TRY(UniqueFd fd, OpenFile(path, O_RDONLY));
  PagemapReader reader(std::move(fd), std::move(path), features);
  if (features.pagemap_scan) return reader;
  CKPT_TRY(const UniqueFd own, OpenFile("/proc/self/pagemap", O_RDONLY));
  reader.zero_frames_ = {FindSmallZeroFrame(own.get()), FindHugeZeroFrame(own.get())};
  return reader;
}

Result<> PagemapReader::Scan(RemoteRange range, PageSelection selection,
                             std::vector<RemoteRange>& found) const {
  if (selection == PageSelection::kGuard && !features_.pagemap_guard) return success();
  return features_.pagemap_scan ? ScanByIoctl(range, selection, found)
                                : ScanEntries(range, selection, found);
}

Result<> PagemapReader::ScanByIoctl(RemoteRange range, PageSelection selection,
                                    std::vector<RemoteRange>& found) const {
  const CategoryFilter filter = FilterOf(selection, features_.pagemap_guard);
  return ScanPages(fd_.get(), path_, range, filter,
                   [&found](RemoteRange pages) { AppendRange(pages, found); });
}

Result<> PagemapReader::ScanEntries(RemoteRange range, PageSelection selection,
                                    std::vector<RemoteRange>& found) const {
  std::vector<uint64_t> entries(std::min<uint64_t>(kChunkEntries, range.size_bytes() / kPageSize));
  for (uint64_t address = range.start; address < range.end;) {
    const uint64_t left = (range.end - address) / kPageSize;
    const auto wanted = std::span(entries).first(std::min<uint64_t>(left, entries.size()));
    CKPT_TRY(const size_t count, ReadEntries(fd_.get(), path_, address, wanted));
    for (const uint64_t entry : wanted.first(count)) {
      if (Takes(entry, selection)) AppendRange({address, address + kPageSize}, found);
      address += kPageSize;
    }
  }
  return success();
}

bool PagemapReader::Takes(uint64_t entry, PageSelection selection) const {
  // Most of a large range is holes.
  if (entry == 0) return false;
  const bool guard = features_.pagemap_guard && (entry & kGuardPage) != 0;
  if (selection == PageSelection::kGuard) return guard;
  if (guard || (entry & (kPresent | kSwapped)) == 0 || IsZeroFrame(FrameOf(entry))) return false;
  return selection == PageSelection::kPopulated || (entry & kFileOrShared) == 0;
}

bool PagemapReader::IsZeroFrame(uint64_t frame) const {
  if (frame == 0) return false;
  const bool in_huge = zero_frames_.huge != 0 && frame >= zero_frames_.huge &&
                       frame - zero_frames_.huge < kHugePageSize / kPageSize;
  return frame == zero_frames_.small || in_huge;
}

}  // namespace ckpt
