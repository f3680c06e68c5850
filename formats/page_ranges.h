// The pages of a memory through all layers of a dump: a page that a dump leaves to its parent is
// looked up there, under the same image name.
#ifndef FORMATS_PAGE_RANGES_H_
#define FORMATS_PAGE_RANGES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/dump_directory.h"
#include "formats/pagemap.h"
#include "formats/pages_image.h"

namespace ckpt {

// Pages that lie one after the other in memory and in one pages image.
struct StoredRange {
  uint64_t start;  // address
  uint64_t page_count;
  size_t layer;          // 0 is the dump, 1 its parent, ...
  uint64_t file_offset;  // of the first page in the pages image of the layer, decompressed
  bool is_lazy;          // in no pages image; layer and file_offset have no meaning

  uint64_t end() const { return start + page_count * kPageBytes; }
};

class PageRanges {
 public:
  // `type` is PAGEMAP or SHMEM_PAGEMAP. kNotFound where the dump has no such pagemap; kBadFormat
  // where pages are left to a parent that lacks them, or a pages image is shorter than its pagemap
  // says.
  static Result<PageRanges> Open(const std::vector<DumpDirectory>& chain, ImageType type,
                                 uint64_t id);

  // Ascending and disjoint.
  const std::vector<StoredRange>& ranges() const { return ranges_; }
  // The pages image of a layer that a range names.
  const SharedPages& pages(size_t layer) const { return layers_[layer].pages; }
  // Its path, for messages and maps.
  const std::string& pages_name(size_t layer) const { return layers_[layer].pages->name(); }

  // Fills `out`, a whole number of pages, from the address `start`. kNotFound where the dump has no
  // such page, kUnsupported where it is lazy. By any number of threads at once.
  Result<> Read(uint64_t start, std::span<std::byte> out) const;

 private:
  struct Layer {
    std::string pagemap_name;
    Pagemap pagemap;
    SharedPages pages;  // nothing where no range is in it
  };

  static Result<Layer> OpenLayer(const DumpDirectory& dump, ImageType type, uint64_t id);
  Result<> AddLayers(const std::vector<DumpDirectory>& chain, ImageType type, uint64_t id);
  Result<> Resolve(size_t layer, uint64_t start, uint64_t end);
  Result<> ResolveInParent(size_t layer, uint64_t start, uint64_t end);
  Result<> ResolveRange(size_t layer, const PageRange& range, uint64_t start, uint64_t end);

  std::vector<Layer> layers_;
  std::vector<StoredRange> ranges_;
};

}  // namespace ckpt

#endif  // FORMATS_PAGE_RANGES_H_
