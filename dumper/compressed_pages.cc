#include "dumper/compressed_pages.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ckpt {

namespace {

constexpr const char* kName = "compressed pages";

// Parts of buffers, one after the other, as what they hold together.
class StagedPages {
 public:
  explicit StagedPages(std::vector<Bytes> parts) : parts_(std::move(parts)) {
    for (const Bytes& part : parts_) {
      starts_.push_back(size_bytes_);
      size_bytes_ += part.size();
    }
  }

  uint64_t size_bytes() const { return size_bytes_; }

  // Without a copy where they lie in one part, as nearly always.
  Bytes Read(uint64_t offset, std::span<std::byte> buffer) const {
    auto index =
        static_cast<size_t>(std::ranges::upper_bound(starts_, offset) - starts_.begin()) - 1;
    const Bytes first = parts_[index].subspan(offset - starts_[index]);
    if (first.size() >= buffer.size()) return first.first(buffer.size());
    for (std::span<std::byte> rest = buffer; !rest.empty(); ++index) {
      const Bytes part = parts_[index].subspan(offset - starts_[index]);
      const size_t copied_bytes = std::min(part.size(), rest.size());
      std::memcpy(rest.data(), part.data(), copied_bytes);
      rest = rest.subspan(copied_bytes);
      offset += copied_bytes;
    }
    return buffer;
  }

 private:
  std::vector<Bytes> parts_;
  std::vector<uint64_t> starts_;
  uint64_t size_bytes_ = 0;
};

Result<Bytes> ReadSpool(int fd, uint64_t offset, std::span<std::byte> buffer) {
  for (std::span<std::byte> rest = buffer; !rest.empty();) {
    const ssize_t got = pread(fd, rest.data(), rest.size(), static_cast<off_t>(offset));
    const int saved = errno;
    if (got < 0 && saved == EINTR) continue;
    if (got < 0) return ErrnoError(saved, "pread of pages at {}", offset);
    if (got == 0) return MakeError(ErrorCode::kInternal, "pages end at {}", offset);
    offset += static_cast<uint64_t>(got);
    rest = rest.subspan(static_cast<size_t>(got));
  }
  return Bytes(buffer);
}

Result<uint64_t> SizeOf(int fd) {
  struct stat status {};
  if (fstat(fd, &status) == 0) return static_cast<uint64_t>(status.st_size);
  const int saved = errno;
  return ErrnoError(saved, "fstat of pages");
}

}  // namespace

Result<UniqueFd> CreateSpool(const std::string& directory) {
  Result<UniqueFd> unnamed = OpenFile(directory, O_RDWR | O_TMPFILE, 0600);
  if (unnamed.has_value()) return unnamed;
  // Some file systems have no O_TMPFILE.
  std::string path = directory + "/.pages-XXXXXX";
  UniqueFd fd(mkostemp(path.data(), O_CLOEXEC));
  const int saved = errno;
  if (!fd.valid()) return ErrnoError(saved, "mkostemp(\"{}\")", path);
  unlink(path.c_str());
  return fd;
}

Result<> CompressBuffers(const PageStage& stage, std::span<const int> fds,
                         const CompressionOptions& options) {
  std::vector<StagedPages> staged;
  for (std::vector<Bytes>& parts : stage.PartsBySource()) staged.emplace_back(std::move(parts));
  CKPT_CHECK(staged.size() == fds.size());
  std::vector<PagesToWrite> images;
  for (size_t i = 0; i < staged.size(); ++i) {
    const StagedPages& pages = staged[i];
    const auto read = [&pages](uint64_t offset, std::span<std::byte> buffer) -> Result<Bytes> {
      return pages.Read(offset, buffer);
    };
    images.push_back({.size_bytes = pages.size_bytes(), .read = read, .fd = fds[i], .name = kName});
  }
  CKPT_TRY(CompressPages(images, options));
  return success();
}

Result<> CompressSpools(std::span<const UniqueFd> spools, std::span<const int> fds,
                        const CompressionOptions& options) {
  CKPT_CHECK(spools.size() == fds.size());
  std::vector<PagesToWrite> images;
  for (size_t i = 0; i < spools.size(); ++i) {
    const int fd = spools[i].get();
    CKPT_TRY(const uint64_t size_bytes, SizeOf(fd));
    const auto read = [fd](uint64_t offset, std::span<std::byte> buffer) {
      return ReadSpool(fd, offset, buffer);
    };
    images.push_back({.size_bytes = size_bytes, .read = read, .fd = fds[i], .name = kName});
  }
  CKPT_TRY(CompressPages(images, options));
  return success();
}

}  // namespace ckpt
