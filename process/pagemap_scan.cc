#include "process/pagemap_scan.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <span>

namespace ckpt {

namespace {

// struct page_region and struct pm_scan_arg: include/uapi/linux/fs.h, Linux 6.7.
struct PageRegion {
  uint64_t start;
  uint64_t end;
  uint64_t categories;
};
static_assert(sizeof(PageRegion) == 24);

struct ScanArgument {
  uint64_t size = sizeof(ScanArgument);
  uint64_t flags = 0;
  uint64_t start = 0;
  uint64_t end = 0;
  uint64_t walk_end = 0;  // out: where the kernel stopped
  uint64_t vec = 0;
  uint64_t vec_len = 0;
  uint64_t max_pages = 0;
  uint64_t category_inverted = 0;
  uint64_t category_mask = 0;
  uint64_t category_anyof_mask = 0;
  uint64_t return_mask = 0;
};
static_assert(sizeof(ScanArgument) == 96);

constexpr uint64_t kPagemapScan = _IOWR('f', 16, ScanArgument);
constexpr size_t kRegionsPerCall = 1024;

Result<size_t> ScanOnce(int fd, std::string_view name, ScanArgument& argument) {
  const int count = ioctl(fd, kPagemapScan, &argument);
  const int saved = errno;
  if (count < 0) {
    return ErrnoError(saved, "ioctl({}, PAGEMAP_SCAN, {:#x}-{:#x})", name, argument.start,
                      argument.end);
  }
  return static_cast<size_t>(count);
}

}  // namespace

Result<> ScanPages(int pagemap_fd, std::string_view name, RemoteRange range, CategoryFilter filter,
                   const std::function<void(RemoteRange)>& take) {
  std::array<PageRegion, kRegionsPerCall> regions;
  ScanArgument argument;
  argument.start = range.start;
  argument.end = range.end;
  argument.vec = reinterpret_cast<uint64_t>(regions.data());
  argument.vec_len = regions.size();
  argument.category_inverted = filter.none_of;
  argument.category_mask = filter.none_of;
  argument.category_anyof_mask = filter.any_of;
  // With no category to return, regions that differ only in those join.
  while (argument.start < argument.end) {
    CKPT_TRY(const size_t count, ScanOnce(pagemap_fd, name, argument));
    for (const PageRegion& region : std::span(regions).first(count)) {
      take({region.start, region.end});
    }
    // walk_end is stale when the kernel, which hands regions over 512 at a time, came to the end of
    // the range after it had handed some over: do_pagemap_scan in fs/proc/task_mmu.c, seen on 6.18.
    const uint64_t seen_until = count == 0 ? 0 : regions[count - 1].end;
    const uint64_t next = std::max(argument.walk_end, seen_until);
    if (next <= argument.start) {
      return MakeError(ErrorCode::kProcessGone, "{}: the scan stops at address {:#x}", name,
                       argument.start);
    }
    argument.start = next;
  }
  return success();
}

}  // namespace ckpt
