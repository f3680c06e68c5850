#include "restorer/mapped_pages.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace ckpt {

namespace {

Result<Bytes> MapImage(int fd) {
  struct stat found {};
  if (fstat(fd, &found) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "fstat of a pages image");
  }
  const auto size_bytes = static_cast<size_t>(found.st_size);
  if (size_bytes == 0) return Bytes();
  const void* start = mmap(nullptr, size_bytes, PROT_READ, MAP_SHARED, fd, 0);
  const int saved = errno;
  if (start == MAP_FAILED) return ErrnoError(saved, "mmap of a pages image, {} bytes", size_bytes);
  return Bytes(static_cast<const std::byte*>(start), size_bytes);
}

}  // namespace

Result<MappedPages> MappedPages::Map(std::span<const SharedPages> pages_images) {
  MappedPages mapped;
  for (const SharedPages& image : pages_images) {
    if (image->is_compressed()) {
      mapped.images_.push_back({.mapped = {}, .compressed = image});
      continue;
    }
    CKPT_TRY(const Bytes bytes, MapImage(image->fd()));
    mapped.images_.push_back({.mapped = bytes, .compressed = nullptr});
  }
  return mapped;
}

MappedPages::~MappedPages() {
  for (const Image& image : images_) {
    if (image.mapped.empty()) continue;
    munmap(const_cast<std::byte*>(image.mapped.data()), image.mapped.size());
  }
}

Bytes MappedPages::PageAt(const PagesPlan& run, std::span<std::byte> buffer) const {
  const Image& image = images_[run.source];
  if (!image.compressed) return image.mapped.subspan(run.offset_bytes, kPageSize);
  if (image.compressed->Read(run.offset_bytes, buffer).has_error()) return {};
  return buffer;
}

bool MappedPages::IsSame(const PagesPlan& a, const PagesPlan& b) const {
  if (a.source == b.source && a.offset_bytes == b.offset_bytes) return true;
  std::array<std::byte, kPageSize> buffers[2];
  const Bytes page_a = PageAt(a, buffers[0]);
  const Bytes page_b = PageAt(b, buffers[1]);
  return !page_a.empty() && !page_b.empty() &&
         std::memcmp(page_a.data(), page_b.data(), kPageSize) == 0;
}

}  // namespace ckpt
