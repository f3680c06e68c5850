// How many pages a dump has of a mapping. Pure.
#ifndef IMGTOOL_EXPLORE_PAGE_COUNTS_H_
#define IMGTOOL_EXPLORE_PAGE_COUNTS_H_

#include <cstdint>
#include <vector>

#include "formats/pagemap.h"

namespace ckpt {

struct PageCounts {
  uint64_t present = 0;
  uint64_t in_parent = 0;
  uint64_t lazy = 0;

  uint64_t all() const { return present + in_parent + lazy; }
  void Add(const PageCounts& other);
};

// Of the pages from address `start` to `end`. Takes time in the logarithm of the ranges and in the
// number of those within.
PageCounts CountPages(const std::vector<PageRange>& ranges, uint64_t start, uint64_t end);
PageCounts CountPages(const std::vector<PageRange>& ranges);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_PAGE_COUNTS_H_
