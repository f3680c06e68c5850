// The pages of two memories compared by content, each through its own parent chain. Memory stays
// bounded whatever the dumps hold.
#ifndef IMGTOOL_EXPLORE_PAGE_DIFF_H_
#define IMGTOOL_EXPLORE_PAGE_DIFF_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "formats/page_ranges.h"
#include "imgtool/explore/diff_report.h"

namespace ckpt {

// Bytes of a memory.
struct ByteRange {
  uint64_t start;
  uint64_t size_bytes;
};

// How to compare one memory with another.
struct PageComparison {
  // Whether a page at that address that is not in a dump is zeros: memory that nobody wrote to.
  std::function<bool(uint64_t)> is_zero_absent;
  // What the kernel writes by itself as threads run.
  std::vector<ByteRange> ignored;
};

// Runs of pages that lie one after the other and changed alike. A page that is zeros in one dump
// and in the other not there is the same page where `is_zero_absent` says so of its address. Lazy
// pages are in no dump and count as not there. Null: the dump has no pages of this memory.
Result<> ComparePages(const PageRanges* old_pages, const PageRanges* new_pages,
                      const PageComparison& how, const std::string& object, DiffReport& report);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_PAGE_DIFF_H_
