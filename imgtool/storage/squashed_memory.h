// A memory of an incremental dump as a full dump has it: one pagemap that leaves nothing to a
// parent, and one pages image.
#ifndef IMGTOOL_STORAGE_SQUASHED_MEMORY_H_
#define IMGTOOL_STORAGE_SQUASHED_MEMORY_H_

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/dump_directory.h"
#include "formats/page_compression.h"
#include "formats/page_ranges.h"

namespace ckpt {

class SquashedMemory {
 public:
  // Of a PAGEMAP or SHMEM_PAGEMAP of the youngest dump. Errors are those of PageRanges.
  static Result<SquashedMemory> Of(const std::vector<DumpDirectory>& chain, DumpImage pagemap);

  const std::string& pagemap_name() const { return pagemap_name_; }  // the file's
  // The new pagemap image. Its head has the bytes of the old one.
  const std::string& pagemap() const { return pagemap_; }
  uint32_t pages_id() const { return pages_id_; }
  uint64_t size_bytes() const { return size_bytes_; }

  // The pages of the new pages image from `offset`.
  Result<> Read(uint64_t offset, std::span<std::byte> out) const;

  // Copies all pages to an empty file without reading them, sharing blocks where the file system
  // can. False, with the file in any state, where that cannot be: a layer is compressed, or the
  // kernel copies nothing between these files.
  Result<bool> CopyTo(int fd, const std::string& name) const;

 private:
  // Pages that are in the dump, and where they go.
  struct Run {
    uint64_t start;
    StoredRange from;
  };

  explicit SquashedMemory(PageRanges ranges) : ranges_(std::move(ranges)) {}
  Result<> WritePagemap(const ImageFile& old);

  PageRanges ranges_;
  std::string pagemap_name_;
  std::string pagemap_;
  uint32_t pages_id_ = 0;
  uint64_t size_bytes_ = 0;
  std::vector<Run> runs_;  // by start, without gaps
};

}  // namespace ckpt

#endif  // IMGTOOL_STORAGE_SQUASHED_MEMORY_H_
