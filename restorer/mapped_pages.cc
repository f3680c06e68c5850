#include "restorer/mapped_pages.h"

#include <sys/mman.h>
#include <sys/stat.h>

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

Result<MappedPages> MappedPages::Map(std::span<const UniqueFd> pages_images) {
  MappedPages mapped;
  for (const UniqueFd& image : pages_images) {
    CKPT_TRY(const Bytes bytes, MapImage(image.get()));
    mapped.images_.push_back(bytes);
  }
  return mapped;
}

MappedPages::~MappedPages() {
  for (const Bytes image : images_) {
    if (!image.empty()) munmap(const_cast<std::byte*>(image.data()), image.size());
  }
}

bool MappedPages::IsSame(const PagesPlan& a, const PagesPlan& b) const {
  if (a.source == b.source && a.offset_bytes == b.offset_bytes) return true;
  const auto page = [&](const PagesPlan& run) {
    return images_[run.source].subspan(run.offset_bytes, kPageSize);
  };
  return std::memcmp(page(a).data(), page(b).data(), kPageSize) == 0;
}

}  // namespace ckpt
