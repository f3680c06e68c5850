// Pagemaps: which pages of a memory a dump has, and where.
#ifndef FORMATS_PAGEMAP_H_
#define FORMATS_PAGEMAP_H_

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "formats/image_file.h"
#include "formats/proto/memory.pb.h"

namespace ckpt {

inline constexpr uint64_t kPageBytes = 4096;

// pagemap_entry.flags, as crit names them.
inline constexpr uint32_t kPagesInParent = 1;  // PE_PARENT
inline constexpr uint32_t kPagesLazy = 2;      // PE_LAZY: wanted late; absent unless present, too
inline constexpr uint32_t kPagesPresent = 4;   // PE_PRESENT

enum class PageSource : uint8_t { kPresent, kParent, kLazy };

// Pages that lie one after the other in memory and, where they are present, in the pages image.
struct PageRange {
  uint64_t start;  // address
  uint64_t page_count;
  PageSource source;
  uint64_t file_offset;  // of a present range: of its first page in the pages image

  uint64_t end() const { return start + page_count * kPageBytes; }
};

struct Pagemap {
  uint32_t pages_id = 0;
  std::vector<PageRange> ranges;  // ascending, disjoint, none empty
  uint64_t present_bytes = 0;     // how long the pages image must be at least
};

// Of a PAGEMAP or SHMEM_PAGEMAP image. kBadFormat: no head, an address off the page, a count that
// leaves the address space, ranges that overlap or descend. kUnsupported: flags that are not above.
Result<Pagemap> ParsePagemap(const ImageFile& image);

// An entry that readers of every age understand: the count in field 5, and in field 2 as much of it
// as 32 bits hold.
pb::pagemap_entry MakePagemapEntry(uint64_t start, uint64_t page_count, uint32_t flags);

}  // namespace ckpt

#endif  // FORMATS_PAGEMAP_H_
