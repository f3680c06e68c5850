#include "imgtool/explore/page_counts.h"

#include <algorithm>
#include <limits>

namespace ckpt {

void PageCounts::Add(const PageCounts& other) {
  present += other.present;
  in_parent += other.in_parent;
  lazy += other.lazy;
}

PageCounts CountPages(const std::vector<PageRange>& ranges, uint64_t start, uint64_t end) {
  PageCounts counts;
  auto range = std::ranges::partition_point(
      ranges, [&](const PageRange& candidate) { return candidate.end() <= start; });
  for (; range != ranges.end() && range->start < end; ++range) {
    const uint64_t bytes = std::min(end, range->end()) - std::max(start, range->start);
    const uint64_t pages = bytes / kPageBytes;
    switch (range->source) {
      case PageSource::kPresent:
        counts.present += pages;
        break;
      case PageSource::kParent:
        counts.in_parent += pages;
        break;
      case PageSource::kLazy:
        counts.lazy += pages;
        break;
    }
  }
  return counts;
}

PageCounts CountPages(const std::vector<PageRange>& ranges) {
  return CountPages(ranges, 0, std::numeric_limits<uint64_t>::max());
}

}  // namespace ckpt
