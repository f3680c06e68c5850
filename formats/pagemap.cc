#include "formats/pagemap.h"

#include <algorithm>
#include <limits>

namespace ckpt {
namespace {

constexpr uint32_t kKnownFlags = kPagesInParent | kPagesLazy | kPagesPresent;
// The last page of the address space is not counted, so that an end is always an address.
constexpr uint64_t kMaxAddress = std::numeric_limits<uint64_t>::max() - kPageBytes + 1;

uint64_t PageCount(const pb::pagemap_entry& entry) {
  return entry.has_nr_pages() ? entry.nr_pages() : entry.compat_nr_pages();
}

// Images older than the flags say in_parent or nothing.
uint32_t FlagsOf(const pb::pagemap_entry& entry) {
  if (entry.in_parent()) return entry.flags() | kPagesInParent;
  return entry.has_flags() ? entry.flags() : kPagesPresent;
}

Result<PageSource> SourceOf(uint32_t flags) {
  if ((flags & ~kKnownFlags) != 0) {
    return MakeError(ErrorCode::kUnsupported, "flags {:#x}, {:#x} are known", flags, kKnownFlags);
  }
  bool present = (flags & kPagesPresent) != 0;
  bool in_parent = (flags & kPagesInParent) != 0;
  if (present && in_parent) {
    return MakeError(ErrorCode::kBadFormat, "flags {:#x} say both present and in the parent",
                     flags);
  }
  if (!present && !in_parent && (flags & kPagesLazy) == 0) {
    return MakeError(ErrorCode::kBadFormat, "flags {:#x} do not say where the pages are", flags);
  }
  return present ? PageSource::kPresent : in_parent ? PageSource::kParent : PageSource::kLazy;
}

Result<> CheckPlace(uint64_t start, uint64_t page_count, uint64_t previous_end) {
  if (start % kPageBytes != 0) {
    return MakeError(ErrorCode::kBadFormat, "address {:#x} is no multiple of {}", start,
                     kPageBytes);
  }
  if (page_count > (kMaxAddress - start) / kPageBytes) {
    return MakeError(ErrorCode::kBadFormat, "{} pages from {:#x} do not fit into the address space",
                     page_count, start);
  }
  if (start < previous_end) {
    return MakeError(ErrorCode::kBadFormat,
                     "address {:#x} lies before {:#x}, the end of the range "
                     "before",
                     start, previous_end);
  }
  return success();
}

Result<> AddRange(const pb::pagemap_entry& entry, Pagemap& pagemap) {
  uint64_t count = PageCount(entry);
  uint64_t previous_end = pagemap.ranges.empty() ? 0 : pagemap.ranges.back().end();
  CKPT_TRY(PageSource source, SourceOf(FlagsOf(entry)));
  CKPT_TRY(CheckPlace(entry.vaddr(), count, previous_end));
  if (count == 0) return success();
  uint64_t offset = source == PageSource::kPresent ? pagemap.present_bytes : 0;
  pagemap.ranges.push_back({entry.vaddr(), count, source, offset});
  if (source == PageSource::kPresent) pagemap.present_bytes += count * kPageBytes;
  return success();
}

}  // namespace

Result<Pagemap> ParsePagemap(const ImageFile& image) {
  CKPT_TRY(auto head, ParseSingleEntry<pb::pagemap_head>(image));
  CKPT_TRY(auto entries, ParseEntries<pb::pagemap_entry>(image));
  Pagemap pagemap;
  pagemap.pages_id = head.pages_id();
  for (size_t i = 0; i < entries.size(); ++i) {
    auto added = AddRange(entries[i], pagemap);
    if (added.has_value()) continue;
    const ImageEntry& place = image.entries()[i + 1];
    return std::move(added).error().In(
        fmt::format("{}: entry {} at offset {}", image.name(), place.index, place.offset));
  }
  return pagemap;
}

pb::pagemap_entry MakePagemapEntry(uint64_t start, uint64_t page_count, uint32_t flags) {
  constexpr uint64_t kMaxOld = std::numeric_limits<uint32_t>::max();
  pb::pagemap_entry entry;
  entry.set_vaddr(start);
  entry.set_compat_nr_pages(static_cast<uint32_t>(std::min(page_count, kMaxOld)));
  entry.set_flags(flags);
  entry.set_nr_pages(page_count);
  return entry;
}

}  // namespace ckpt
