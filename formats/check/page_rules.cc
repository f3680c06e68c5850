#include "formats/check/page_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/image_version.h"
#include "formats/pagemap.h"
#include "formats/proto/inventory.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/vma_status.h"

namespace ckpt {

namespace {

constexpr uint32_t kKnownFlags = kPagesInParent | kPagesLazy | kPagesPresent;
constexpr uint64_t kAddressEnd = UINT64_MAX - kPageBytes + 1;

// Addresses.
struct Range {
  uint64_t start;
  uint64_t end;
};

// A pagemap of one of the dumps that build on each other.
struct LayerPagemap {
  const CheckedDump* dump;
  const LoadedImage* loaded;
  std::string file_name;  // with "parent/" in front for each step

  bool has_head() const { return !loaded->messages.empty(); }
  uint32_t pages_id() const {
    return static_cast<const pb::pagemap_head*>(loaded->messages[0])->pages_id();
  }
};

// Whether the count keeps the range inside the address space.
bool Fits(const CheckedPages& pages) {
  return pages.start <= kAddressEnd && pages.page_count <= (kAddressEnd - pages.start) / kPageBytes;
}

Range RangeOf(const CheckedPages& pages) {
  if (!Fits(pages)) return {pages.start, std::max(pages.start, kAddressEnd)};
  return {pages.start, pages.start + pages.page_count * kPageBytes};
}

std::string RangeText(const Range& range) {
  return fmt::format("{:#x}-{:#x}", range.start, range.end);
}

template <typename Visit>
void ForEachPagemap(CheckRun& run, Visit visit) {
  std::string prefix;
  for (const CheckedDump* dump = &run.dump(); dump != nullptr; dump = dump->parent()) {
    for (const ImageType type : {ImageType::kPagemap, ImageType::kShmemPagemap}) {
      for (const CheckedImage& image : dump->ImagesOf(type)) {
        visit(LayerPagemap{dump, &dump->Load(image), prefix + image.file_name});
      }
    }
    prefix += "parent/";
  }
}

void CheckHeads(CheckRun& run) {
  ForEachPagemap(run, [&](const LayerPagemap& pagemap) {
    if (pagemap.loaded->is_whole && !pagemap.has_head()) {
      run.Add(CheckPlace(pagemap.file_name), "", "no entries", "a head with the id of its pages");
    }
  });
}

void CheckOrder(CheckRun& run) {
  ForEachPagemap(run, [&](const LayerPagemap& pagemap) {
    const auto& pages = pagemap.loaded->pages;
    for (size_t i = 0; i < pages.size(); ++i) {
      const CheckPlace place(pagemap.file_name, i + 1);
      if (pages[i].start % kPageBytes != 0 || !Fits(pages[i])) {
        run.Add(place, "vaddr",
                fmt::format("{} pages from {:#x}", pages[i].page_count, pages[i].start),
                "whole pages of the address space");
      } else if (i > 0 && pages[i].start < RangeOf(pages[i - 1]).end) {
        run.Add(place, "vaddr",
                fmt::format("{:#x}, behind {}", pages[i].start, RangeText(RangeOf(pages[i - 1]))),
                "ranges that ascend and do not overlap");
      }
    }
  });
}

void CheckFlags(CheckRun& run) {
  ForEachPagemap(run, [&](const LayerPagemap& pagemap) {
    const auto& pages = pagemap.loaded->pages;
    for (size_t i = 0; i < pages.size(); ++i) {
      const uint32_t flags = pages[i].flags;
      constexpr uint32_t kBoth = kPagesInParent | kPagesPresent;
      if ((flags & ~kKnownFlags) == 0 && flags != 0 && (flags & kBoth) != kBoth) continue;
      run.Add(CheckPlace(pagemap.file_name, i + 1), "flags", fmt::format("{:#x}", flags),
              "1 in the parent, 4 present or 2 lazy");
    }
  });
}

// Of the pages image.
uint64_t PresentBytes(const LoadedImage& loaded) {
  uint64_t size_bytes = 0;
  for (const CheckedPages& pages : loaded.pages) {
    if ((pages.flags & kPagesPresent) == 0 || !Fits(pages)) continue;
    const uint64_t more = pages.page_count * kPageBytes;
    if (__builtin_add_overflow(size_bytes, more, &size_bytes)) return UINT64_MAX;
  }
  return size_bytes;
}

// Calls visit(pagemap, its pages image, wanted size).
template <typename Visit>
void ForEachPagesImage(CheckRun& run, Visit visit) {
  ForEachPagemap(run, [&](const LayerPagemap& pagemap) {
    if (!pagemap.has_head() || !pagemap.loaded->is_whole) return;
    visit(pagemap, pagemap.dump->FindPages(pagemap.pages_id()), PresentBytes(*pagemap.loaded));
  });
}
using PagesOrNone = std::optional<CheckedDump::Pages>;

void CheckPagesThere(CheckRun& run) {
  ForEachPagesImage(run, [&](const LayerPagemap& pagemap, const PagesOrNone& pages, uint64_t size) {
    if (pages || size == 0) return;
    run.Add(CheckPlace(pagemap.file_name, 0), "pages_id",
            fmt::format("{}, but there is no {}", pagemap.pages_id(),
                        ImageFileName(ImageType::kPages, pagemap.pages_id())),
            fmt::format("{} bytes of pages", size));
  });
}

// Adds a finding where is_wrong(size of the image, wanted size).
template <typename IsWrong>
void CheckPagesSize(CheckRun& run, IsWrong is_wrong) {
  ForEachPagesImage(run, [&](const LayerPagemap& pagemap, const PagesOrNone& pages, uint64_t size) {
    if (!pages || !pages->size_bytes || !is_wrong(*pages->size_bytes, size)) return;
    run.Add(CheckPlace(pagemap.file_name), "",
            fmt::format("{} has {} bytes of pages", pages->file_name, *pages->size_bytes),
            fmt::format("the {} that the pagemap counts", size));
  });
}

void CheckPagesLongEnough(CheckRun& run) {
  CheckPagesSize(run, [](uint64_t size, uint64_t wanted) { return size < wanted; });
}
void CheckPagesNotLonger(CheckRun& run) {
  CheckPagesSize(run, [](uint64_t size, uint64_t wanted) { return size > wanted; });
}

// CRIU is kept from a dump with compressed pages by the version in its inventory.
void CheckPagesForm(CheckRun& run) {
  std::string prefix;
  for (const CheckedDump* dump = &run.dump(); dump != nullptr; dump = dump->parent()) {
    const auto* inventory = dump->FindFirst<pb::inventory_entry>(ImageType::kInventory);
    for (const CheckedImage& image : dump->ImagesOf(ImageType::kPagesZstd)) {
      if (inventory != nullptr && !SaysZstdPages(inventory->img_version())) {
        run.Add(CheckPlace(prefix + image.file_name), "", "compressed pages",
                "an inventory that says so, or plain pages");
      }
      const auto pages = dump->FindPages(image.name.id);
      if (pages && !pages->damage.empty()) {
        run.Add(CheckPlace(prefix + image.file_name), "", pages->damage, "");
      }
      if (dump->Has(ImageType::kPages, image.name.id)) {
        run.Add(CheckPlace(prefix + image.file_name), "", "pages beside the plain ones",
                "one image of them");
      }
    }
    prefix += "parent/";
  }
}

void CheckPagesUsedOnce(CheckRun& run) {
  std::map<std::pair<const CheckedDump*, uint32_t>, std::string> users;
  ForEachPagemap(run, [&](const LayerPagemap& pagemap) {
    if (!pagemap.has_head()) return;
    const auto [user, is_first] =
        users.try_emplace({pagemap.dump, pagemap.pages_id()}, pagemap.file_name);
    if (is_first) return;
    run.Add(CheckPlace(pagemap.file_name, 0), "pages_id",
            fmt::format("{}, as in {}", pagemap.pages_id(), user->second),
            "a pages image of its own");
  });
}

// Sorted, and what touches or overlaps put together.
std::vector<Range> Merged(std::vector<Range> ranges) {
  std::ranges::sort(ranges, {}, &Range::start);
  std::vector<Range> merged;
  for (const Range& range : ranges) {
    if (merged.empty() || range.start > merged.back().end) {
      merged.push_back(range);
    } else {
      merged.back().end = std::max(merged.back().end, range.end);
    }
  }
  return merged;
}

// The mappings whose pages a pagemap has.
std::vector<Range> PrivateRanges(const pb::mm_entry& mm) {
  constexpr uint32_t kPrivate = kVmaFilePrivate | kVmaAnonPrivate;
  std::vector<Range> ranges;
  for (const pb::vma_entry& vma : mm.vmas()) {
    const bool has_pages = (vma.status() & kPrivate) != 0 && (vma.status() & kVmaGuard) == 0;
    if (has_pages && vma.start() < vma.end()) ranges.push_back({vma.start(), vma.end()});
  }
  return Merged(std::move(ranges));
}

std::vector<Range> RangesOf(const std::vector<CheckedPages>& pages) {
  std::vector<Range> ranges;
  for (const CheckedPages& entry : pages) ranges.push_back(RangeOf(entry));
  return Merged(std::move(ranges));
}

// The first address of `pages` that no range has; the end where they have all. `ranges` are merged.
uint64_t FirstUncovered(const Range& pages, const std::vector<Range>& ranges) {
  auto next = std::ranges::upper_bound(ranges, pages.start, {}, &Range::start);
  if (next == ranges.begin()) return pages.start;
  return std::clamp((--next)->end, pages.start, pages.end);
}

bool HasPage(const std::vector<Range>& ranges, uint64_t address) {
  return address < kAddressEnd && FirstUncovered({address, address + kPageBytes}, ranges) > address;
}

// Calls visit(pagemap, mm) for the tasks of the dump itself.
template <typename Visit>
void ForEachTaskMemory(CheckRun& run, Visit visit) {
  ForEachPagemap(run, [&](const LayerPagemap& pagemap) {
    const ImageName& name = pagemap.loaded->image->name;
    if (pagemap.dump != &run.dump() || name.type != ImageType::kPagemap) return;
    const auto* mm = run.dump().FindFirst<pb::mm_entry>(ImageType::kMm, name.id);
    // Older dumps have the mappings elsewhere.
    if (mm != nullptr && !run.dump().Has(ImageType::kVmas, name.id)) visit(pagemap, *mm);
  });
}

void CheckInsideMappings(CheckRun& run) {
  ForEachTaskMemory(run, [&](const LayerPagemap& pagemap, const pb::mm_entry& mm) {
    const std::vector<Range> ranges = PrivateRanges(mm);
    const auto& pages = pagemap.loaded->pages;
    for (size_t i = 0; i < pages.size(); ++i) {
      const Range range = RangeOf(pages[i]);
      const uint64_t covered = FirstUncovered(range, ranges);
      if (covered >= range.end) continue;
      run.Add(CheckPlace(pagemap.file_name, i + 1), "vaddr",
              fmt::format("{:#x} of {}", covered, RangeText(range)), "a page of a private mapping");
    }
  });
}

// Restorers read the symbols of the dumped vDSO.
void CheckVdso(CheckRun& run) {
  ForEachTaskMemory(run, [&](const LayerPagemap& pagemap, const pb::mm_entry& mm) {
    if (!pagemap.loaded->is_whole) return;
    const std::vector<Range> ranges = RangesOf(pagemap.loaded->pages);
    for (const pb::vma_entry& vma : mm.vmas()) {
      if ((vma.status() & kVmaVdso) == 0 || HasPage(ranges, vma.start())) continue;
      run.Add(CheckPlace(pagemap.file_name), "", fmt::format("no page at {:#x}", vma.start()),
              "the pages of the vDSO");
    }
  });
}

// They are the kernel's own, and of another kernel at the restore.
void CheckVvar(CheckRun& run) {
  ForEachTaskMemory(run, [&](const LayerPagemap& pagemap, const pb::mm_entry& mm) {
    const std::vector<Range> ranges = RangesOf(pagemap.loaded->pages);
    for (const pb::vma_entry& vma : mm.vmas()) {
      if ((vma.status() & kVmaVvar) == 0 || !HasPage(ranges, vma.start())) continue;
      run.Add(CheckPlace(pagemap.file_name), "", fmt::format("a page at {:#x}", vma.start()),
              "no pages of [vvar]");
    }
  });
}

bool LeavesPages(const LayerPagemap& pagemap) {
  return std::ranges::any_of(pagemap.loaded->pages, [](const CheckedPages& pages) {
    return (pages.flags & kPagesInParent) != 0 && pages.page_count > 0;
  });
}

void CheckParentThere(CheckRun& run) {
  ForEachPagemap(run, [&](const LayerPagemap& pagemap) {
    if (pagemap.dump->parent() != nullptr || !LeavesPages(pagemap)) return;
    run.Add(CheckPlace(pagemap.file_name), "", "leaves pages to a parent, and there is none",
            "a link `parent` to the dump before");
  });
}

void CheckParentPages(CheckRun& run) {
  ForEachPagemap(run, [&](const LayerPagemap& pagemap) {
    if (pagemap.dump->parent() == nullptr || !LeavesPages(pagemap)) return;
    const ImageName& name = pagemap.loaded->image->name;
    const CheckedImage* older = pagemap.dump->parent()->Find(name.type, name.id);
    std::vector<Range> ranges;
    if (older != nullptr) {
      const LoadedImage& loaded = pagemap.dump->parent()->Load(*older);
      if (!loaded.is_whole) return;
      ranges = RangesOf(loaded.pages);
    }
    const auto& pages = pagemap.loaded->pages;
    for (size_t i = 0; i < pages.size(); ++i) {
      if ((pages[i].flags & kPagesInParent) == 0) continue;
      const Range range = RangeOf(pages[i]);
      const uint64_t covered = FirstUncovered(range, ranges);
      if (covered >= range.end) continue;
      run.Add(CheckPlace(pagemap.file_name, i + 1), "vaddr",
              fmt::format("{:#x} of {} is not in the parent", covered, RangeText(range)),
              "pages that the parent has");
    }
  });
}

void CheckParentLink(CheckRun& run) {
  if (run.dump().parent_problem().empty()) return;
  run.Add(CheckPlace("parent"), "", run.dump().parent_problem(), "a relative link to a dump");
}

void CheckPagesUsed(CheckRun& run) {
  std::set<uint64_t> used;
  bool are_whole = true;
  ForEachPagemap(run, [&](const LayerPagemap& pagemap) {
    if (pagemap.dump != &run.dump()) return;
    if (pagemap.has_head()) used.insert(pagemap.pages_id());
    are_whole = are_whole && pagemap.loaded->is_whole;
  });
  if (!are_whole) return;
  for (const ImageType type : {ImageType::kPages, ImageType::kPagesZstd}) {
    for (const CheckedImage& image : run.dump().ImagesOf(type)) {
      if (used.contains(image.name.id)) continue;
      run.Add(CheckPlace(image.file_name), "", "of no pagemap", "pages that a pagemap counts");
    }
  }
}

using enum CheckSeverity;

constexpr CheckRule kRules[] = {
    {"pagemap-head", kError, "a pagemap starts with the id of its pages image",
     "PAGEMAP SHMEM_PAGEMAP", CheckHeads},
    {"pagemap-order", kError, "the ranges of a pagemap are whole pages, ascend and do not overlap",
     "PAGEMAP SHMEM_PAGEMAP", CheckOrder},
    {"pagemap-flags", kError, "a pagemap says of each range where its pages are",
     "PAGEMAP SHMEM_PAGEMAP", CheckFlags},
    {"pagemap-outside", kError, "pages lie in private mappings of their task", "PAGEMAP MM VMAS",
     CheckInsideMappings},
    {"pages-missing", kError, "the pages image of a pagemap is there",
     "PAGEMAP SHMEM_PAGEMAP PAGES PAGES_ZSTD", CheckPagesThere},
    {"pages-short", kError, "a pages image has all pages that its pagemap counts",
     "PAGEMAP SHMEM_PAGEMAP PAGES PAGES_ZSTD", CheckPagesLongEnough},
    {"pages-long", kWarning, "a pages image has no more pages than its pagemap counts",
     "PAGEMAP SHMEM_PAGEMAP PAGES PAGES_ZSTD", CheckPagesNotLonger},
    {"pages-shared", kError, "no two pagemaps have one pages image", "PAGEMAP SHMEM_PAGEMAP",
     CheckPagesUsedOnce},
    {"pages-form", kError,
     "compressed pages are whole, told of in the inventory, and the only ones",
     "PAGES PAGES_ZSTD INVENTORY", CheckPagesForm},
    {"pages-unused", kWarning, "a pages image belongs to a pagemap",
     "PAGEMAP SHMEM_PAGEMAP PAGES PAGES_ZSTD", CheckPagesUsed},
    {"vdso-pages", kError, "the pages of the vDSO are in the dump", "PAGEMAP MM VMAS", CheckVdso},
    {"vvar-pages", kError, "the pages of [vvar] are not", "PAGEMAP MM VMAS", CheckVvar},
    {"parent-missing", kError, "pages are left to a parent only where there is one",
     "PAGEMAP SHMEM_PAGEMAP", CheckParentThere},
    {"parent-gap", kError, "the parent has the pages that are left to it", "PAGEMAP SHMEM_PAGEMAP",
     CheckParentPages},
    {"parent-link", kError, "the link `parent` leads to a dump", "", CheckParentLink},
};

}  // namespace

std::span<const CheckRule> PageRules() { return kRules; }

}  // namespace ckpt
