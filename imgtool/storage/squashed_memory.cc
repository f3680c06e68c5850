#include "imgtool/storage/squashed_memory.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "formats/image_file.h"
#include "formats/image_writer.h"
#include "formats/pagemap.h"

namespace ckpt {

namespace {

// What the kernel says of files that it cannot copy between.
bool CannotCopy(int error_number) {
  return error_number == EXDEV || error_number == EINVAL || error_number == ENOSYS ||
         error_number == EOPNOTSUPP || error_number == EPERM;
}

// True where all was copied.
Result<bool> CopyRange(int from, uint64_t from_offset, int to, uint64_t to_offset,
                       uint64_t size_bytes, const std::string& name) {
  auto in = static_cast<off64_t>(from_offset);
  auto out = static_cast<off64_t>(to_offset);
  while (size_bytes > 0) {
    const ssize_t copied = copy_file_range(from, &in, to, &out, size_bytes, 0);
    const int saved = errno;
    if (copied < 0 && saved == EINTR) continue;
    if (copied < 0 && CannotCopy(saved)) return false;
    if (copied < 0) return ErrnoError(saved, "copy_file_range of {} bytes to {}", size_bytes, name);
    // Some file systems end here though there is more.
    if (copied == 0) return false;
    size_bytes -= static_cast<uint64_t>(copied);
  }
  return true;
}

}  // namespace

Result<SquashedMemory> SquashedMemory::Of(const std::vector<DumpDirectory>& chain,
                                          DumpImage pagemap) {
  const auto [type, id] = pagemap.image;
  CKPT_TRY(PageRanges ranges, PageRanges::Open(chain, type, id));
  SquashedMemory memory(std::move(ranges));
  memory.pagemap_name_ = std::move(pagemap.file_name);
  CKPT_TRY(const ImageFile old, chain.front().Read(type, id));
  CKPT_TRY(memory.WritePagemap(old));
  return memory;
}

Result<> SquashedMemory::WritePagemap(const ImageFile& old) {
  CKPT_TRY(const auto head, ParseSingleEntry<pb::pagemap_head>(old));
  pages_id_ = head.pages_id();
  ImageEncoder image(old.type(), old.header_version());
  image.AppendOriginal(old.entries().front().message, {});
  struct Entry {
    uint64_t start;
    uint64_t page_count;
    bool is_lazy;
  };
  std::vector<Entry> entries;
  for (const StoredRange& range : ranges_.ranges()) {
    const bool goes_on =
        !entries.empty() && entries.back().is_lazy == range.is_lazy &&
        entries.back().start + entries.back().page_count * kPageBytes == range.start;
    if (goes_on) {
      entries.back().page_count += range.page_count;
    } else {
      entries.push_back({range.start, range.page_count, range.is_lazy});
    }
    if (range.is_lazy) continue;
    runs_.push_back({size_bytes_, range});
    size_bytes_ += range.page_count * kPageBytes;
  }
  for (const Entry& entry : entries) {
    CKPT_TRY(image.Append(MakePagemapEntry(entry.start, entry.page_count,
                                           entry.is_lazy ? kPagesLazy : kPagesPresent)));
  }
  pagemap_ = image.TakeBytes();
  return success();
}

Result<> SquashedMemory::Read(uint64_t offset, std::span<std::byte> out) const {
  CKPT_CHECK(offset <= size_bytes_ && out.size() <= size_bytes_ - offset);
  auto run = std::ranges::upper_bound(runs_, offset, {}, &Run::start);
  for (--run; !out.empty(); ++run) {
    const uint64_t inside = offset - run->start;
    const size_t part_bytes =
        std::min<uint64_t>(out.size(), run->from.page_count * kPageBytes - inside);
    CKPT_TRY(ranges_.pages(run->from.layer)
                 ->Read(run->from.file_offset + inside, out.first(part_bytes)));
    offset += part_bytes;
    out = out.subspan(part_bytes);
  }
  return success();
}

Result<bool> SquashedMemory::CopyTo(int fd, const std::string& name) const {
  const auto is_compressed = [&](const Run& run) {
    return ranges_.pages(run.from.layer)->is_compressed();
  };
  if (std::ranges::any_of(runs_, is_compressed)) return false;
  for (const Run& run : runs_) {
    CKPT_TRY(const bool copied, CopyRange(ranges_.pages(run.from.layer)->fd(), run.from.file_offset,
                                          fd, run.start, run.from.page_count * kPageBytes, name));
    if (!copied) return false;
  }
  return true;
}

}  // namespace ckpt
