#include "formats/pages_image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <list>
#include <mutex>
#include <utility>

#include "formats/page_codec.h"

namespace ckpt {

namespace {

// Enough for a reader that follows a memory through several mappings.
constexpr size_t kKeptFrames = 4;

Result<uint64_t> FileSize(int fd, const std::string& name) {
  struct stat status {};
  if (fstat(fd, &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fstat({})", name);
  }
  if (!S_ISREG(status.st_mode)) {
    return MakeError(ErrorCode::kUnsupported, "{}: no file (mode {:#o})", name, status.st_mode);
  }
  return static_cast<uint64_t>(status.st_size);
}

using Pages = std::vector<std::byte>;

}  // namespace

class PagesImage::FrameCache {
 public:
  // Nothing where it is not kept.
  std::shared_ptr<const Pages> Find(uint64_t start) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(kept_, start, &Kept::start);
    if (found == kept_.end()) return nullptr;
    kept_.splice(kept_.begin(), kept_, found);
    return found->pages;
  }

  void Keep(uint64_t start, std::shared_ptr<const Pages> pages) {
    const std::lock_guard lock(mutex_);
    kept_.push_front({start, std::move(pages)});
    if (kept_.size() > kKeptFrames) kept_.pop_back();
  }

 private:
  struct Kept {
    uint64_t start;
    std::shared_ptr<const Pages> pages;
  };

  std::mutex mutex_;
  std::list<Kept> kept_;  // the last used first
};

PagesImage::PagesImage(std::string name, UniqueFd fd, uint64_t file_bytes)
    : name_(std::move(name)),
      fd_(std::move(fd)),
      file_bytes_(file_bytes),
      size_bytes_(file_bytes) {}
PagesImage::PagesImage(PagesImage&&) noexcept = default;
PagesImage& PagesImage::operator=(PagesImage&&) noexcept = default;
PagesImage::~PagesImage() = default;

Result<PagesImage> PagesImage::Open(const DumpDirectory& dump, uint32_t pages_id) {
  const bool is_compressed = dump.Has(ImageType::kPagesZstd, pages_id);
  if (!is_compressed) return OpenPlain(dump.PathOf(ImageType::kPages, pages_id));
  if (dump.Has(ImageType::kPages, pages_id)) {
    return MakeError(ErrorCode::kBadFormat, "{}: the dump has {} as well, one of them is allowed",
                     dump.PathOf(ImageType::kPagesZstd, pages_id),
                     ImageFileName(ImageType::kPages, pages_id));
  }
  return OpenCompressed(dump.PathOf(ImageType::kPagesZstd, pages_id));
}

Result<PagesImage> PagesImage::OpenPlain(std::string path) {
  // What is no file must not be waited for.
  CKPT_TRY(UniqueFd fd, OpenFile(path, O_RDONLY | O_NONBLOCK));
  CKPT_TRY(const uint64_t file_bytes, FileSize(fd.get(), path));
  return PagesImage(std::move(path), std::move(fd), file_bytes);
}

Result<PagesImage> PagesImage::OpenCompressed(std::string path) {
  CKPT_TRY(PagesImage image, OpenPlain(std::move(path)));
  CKPT_TRY(image.ReadSeekTable());
  return image;
}

Result<> PagesImage::ReadSeekTable() {
  std::vector<std::byte> footer(std::min<uint64_t>(kSeekTableFooterBytes, file_bytes_));
  CKPT_TRY(ReadPlain(file_bytes_ - footer.size(), footer));
  CKPT_TRY(const uint64_t table_bytes, SeekTableBytes(footer, file_bytes_, name_));
  std::vector<std::byte> table(table_bytes);
  CKPT_TRY(ReadPlain(file_bytes_ - table_bytes, table));
  CKPT_TRY(frames_, ParseSeekTable(table, file_bytes_, name_));
  size_bytes_ = frames_.empty() ? 0 : frames_.back().end();
  is_compressed_ = true;
  cache_ = std::make_unique<FrameCache>();
  return success();
}

Result<> PagesImage::Read(uint64_t offset, std::span<std::byte> out) const {
  if (!is_compressed_) return ReadPlain(offset, out);
  auto frame = std::ranges::partition_point(
      frames_, [&](const PageFrame& before) { return before.end() <= offset; });
  while (!out.empty()) {
    if (frame == frames_.end()) {
      return MakeError(ErrorCode::kBadFormat, "{}: {} bytes of pages, {} bytes from {} are wanted",
                       name_, size_bytes_, out.size(), offset);
    }
    const size_t part_bytes = std::min<uint64_t>(out.size(), frame->end() - offset);
    CKPT_TRY(ReadPart(*frame, offset - frame->start, out.first(part_bytes)));
    offset += part_bytes;
    out = out.subspan(part_bytes);
    ++frame;
  }
  return success();
}

Result<> PagesImage::ReadPlain(uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    const int saved = errno;
    if (got < 0 && saved == EINTR) continue;
    if (got < 0) return ErrnoError(saved, "pread({}, {}, {})", name_, out.size(), offset);
    if (got == 0) {
      return MakeError(ErrorCode::kBadFormat, "{}: ends at byte {}, {} bytes before it should",
                       name_, offset, out.size());
    }
    offset += static_cast<uint64_t>(got);
    out = out.subspan(static_cast<size_t>(got));
  }
  return success();
}

Result<> PagesImage::ReadPart(const PageFrame& frame, uint64_t offset,
                              std::span<std::byte> out) const {
  if (out.size() == frame.size_bytes) return ReadFrame(frame, out);
  std::shared_ptr<const Pages> pages = cache_->Find(frame.start);
  if (!pages) {
    auto fresh = std::make_shared<Pages>(frame.size_bytes);
    CKPT_TRY(ReadFrame(frame, *fresh));
    pages = std::move(fresh);
    cache_->Keep(frame.start, pages);
  }
  std::memcpy(out.data(), pages->data() + offset, out.size());
  return success();
}

Result<> PagesImage::ReadFrame(const PageFrame& frame, std::span<std::byte> pages) const {
  // Contexts and buffers are worth keeping: a frame takes less than a millisecond.
  thread_local PageDecompressor decompressor;
  thread_local std::vector<std::byte> compressed;
  compressed.resize(frame.compressed_bytes);
  CKPT_TRY(ReadPlain(frame.file_offset, compressed));
  Result<> done = decompressor.Decompress(compressed, pages);
  if (done.has_value()) return done;
  return std::move(done).error().In(
      fmt::format("{}: frame {} at offset {}", name_, &frame - frames_.data(), frame.file_offset));
}

}  // namespace ckpt
