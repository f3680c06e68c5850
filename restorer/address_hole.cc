#include "restorer/address_hole.h"

#include <algorithm>

namespace ckpt {

namespace {

// Above what vm.mmap_min_addr keeps free by default, and below the end of four-level page tables:
// what every process can map without asking for more.
constexpr RemoteRange kUsable = {0x10000, (uint64_t{1} << 47) - kPageSize};

}  // namespace

Result<RemoteRange> FindHole(std::vector<RemoteRange> occupied, uint64_t size_bytes) {
  CKPT_CHECK(size_bytes % kPageSize == 0);
  RemoteRange widest;
  for (const RemoteRange& gap : Subtract({kUsable}, std::move(occupied))) {
    if (gap.size_bytes() > widest.size_bytes()) widest = gap;
  }
  if (widest.size_bytes() < size_bytes) {
    return MakeError(ErrorCode::kUnsupported,
                     "no hole of {} bytes in the address space, the widest has {}", size_bytes,
                     widest.size_bytes());
  }
  const uint64_t spare_pages = (widest.size_bytes() - size_bytes) / kPageSize;
  const uint64_t start = widest.start + spare_pages / 2 * kPageSize;
  return RemoteRange{start, start + size_bytes};
}

std::vector<RemoteRange> Subtract(std::vector<RemoteRange> ranges, std::vector<RemoteRange> kept) {
  std::ranges::sort(ranges);
  std::ranges::sort(kept);
  std::vector<RemoteRange> rest;
  for (RemoteRange range : ranges) {
    for (const RemoteRange& hole : kept) {
      if (!range.Overlaps(hole)) continue;
      if (range.start < hole.start) rest.push_back({range.start, hole.start});
      range.start = std::min(hole.end, range.end);
    }
    if (range.start < range.end) rest.push_back(range);
  }
  return rest;
}

}  // namespace ckpt
