#include "formats/page_ranges.h"

#include <algorithm>
#include <limits>

namespace ckpt {
namespace {

bool HasPresentPages(const Pagemap& pagemap) { return pagemap.present_bytes != 0; }

bool LeavesPagesToParent(const Pagemap& pagemap) {
  return std::ranges::any_of(
      pagemap.ranges, [](const PageRange& range) { return range.source == PageSource::kParent; });
}

// The first range that does not lie wholly before `address`.
template <typename Range>
auto FirstFrom(const std::vector<Range>& ranges, uint64_t address) {
  return std::ranges::partition_point(ranges,
                                      [&](const Range& range) { return range.end() <= address; });
}

}  // namespace

Result<PageRanges> PageRanges::Open(const std::vector<DumpDirectory>& chain, ImageType type,
                                    uint64_t id) {
  PageRanges pages;
  CKPT_TRY(pages.AddLayers(chain, type, id));
  CKPT_TRY(pages.Resolve(0, 0, std::numeric_limits<uint64_t>::max()));
  return pages;
}

Result<PageRanges::Layer> PageRanges::OpenLayer(const DumpDirectory& dump, ImageType type,
                                                uint64_t id) {
  CKPT_TRY(ImageFile image, dump.Read(type, id));
  Layer layer;
  layer.pagemap_name = image.name();
  CKPT_TRY(layer.pagemap, ParsePagemap(image));
  if (!HasPresentPages(layer.pagemap)) return layer;
  CKPT_TRY(PagesImage pages, PagesImage::Open(dump, layer.pagemap.pages_id));
  if (pages.size_bytes() < layer.pagemap.present_bytes) {
    return MakeError(ErrorCode::kBadFormat, "{}: {} bytes, {} needs {}", pages.name(),
                     pages.size_bytes(), layer.pagemap_name, layer.pagemap.present_bytes);
  }
  layer.pages = std::make_shared<const PagesImage>(std::move(pages));
  return layer;
}

// A layer is opened only where the one above it leaves pages to it.
Result<> PageRanges::AddLayers(const std::vector<DumpDirectory>& chain, ImageType type,
                               uint64_t id) {
  CKPT_CHECK(type == ImageType::kPagemap || type == ImageType::kShmemPagemap);
  for (const DumpDirectory& dump : chain) {
    if (!layers_.empty() && !dump.Has(type, id)) break;
    CKPT_TRY(Layer layer, OpenLayer(dump, type, id));
    layers_.push_back(std::move(layer));
    if (!LeavesPagesToParent(layers_.back().pagemap)) break;
  }
  return success();
}

Result<> PageRanges::Resolve(size_t layer, uint64_t start, uint64_t end) {
  const auto& ranges = layers_[layer].pagemap.ranges;
  for (auto range = FirstFrom(ranges, start); range != ranges.end() && range->start < end;
       ++range) {
    CKPT_TRY(
        ResolveRange(layer, *range, std::max(start, range->start), std::min(end, range->end())));
  }
  return success();
}

Result<> PageRanges::ResolveRange(size_t layer, const PageRange& range, uint64_t start,
                                  uint64_t end) {
  if (range.source == PageSource::kParent) return ResolveInParent(layer, start, end);
  bool is_lazy = range.source == PageSource::kLazy;
  uint64_t offset = is_lazy ? 0 : range.file_offset + (start - range.start);
  ranges_.push_back({start, (end - start) / kPageBytes, layer, offset, is_lazy});
  return success();
}

Result<> PageRanges::ResolveInParent(size_t layer, uint64_t start, uint64_t end) {
  size_t parent = layer + 1;
  uint64_t covered = start;
  if (parent < layers_.size()) {
    const auto& ranges = layers_[parent].pagemap.ranges;
    auto range = FirstFrom(ranges, start);
    while (range != ranges.end() && range->start <= covered && covered < end) {
      covered = (range++)->end();
    }
  }
  if (covered >= end) return Resolve(parent, start, end);
  return MakeError(ErrorCode::kBadFormat,
                   "{}: pages from {:#x} to {:#x} are left to a parent that lacks the one at {:#x}",
                   layers_[layer].pagemap_name, start, end, covered);
}

Result<> PageRanges::Read(uint64_t start, std::span<std::byte> out) const {
  CKPT_CHECK(start % kPageBytes == 0 && out.size() % kPageBytes == 0);
  auto range = FirstFrom(ranges_, start);
  while (!out.empty()) {
    if (range == ranges_.end() || range->start > start) {
      return MakeError(ErrorCode::kNotFound, "{}: no page at {:#x}", layers_[0].pagemap_name,
                       start);
    }
    if (range->is_lazy) {
      return MakeError(ErrorCode::kUnsupported, "{}: the page at {:#x} is lazy, not in the dump",
                       layers_[0].pagemap_name, start);
    }
    size_t size_bytes = std::min<uint64_t>(out.size(), range->end() - start);
    CKPT_TRY(layers_[range->layer].pages->Read(range->file_offset + (start - range->start),
                                               out.first(size_bytes)));
    start += size_bytes;
    out = out.subspan(size_bytes);
    ++range;
  }
  return success();
}

}  // namespace ckpt
