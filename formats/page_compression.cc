#include "formats/page_compression.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/file.h"
#include "formats/page_frames.h"

namespace ckpt {

namespace {

struct Piece {
  size_t image;
  uint64_t offset;
  size_t size_bytes;
};

std::vector<Piece> Cut(std::span<const PagesToWrite> images) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < images.size(); ++i) {
    for (uint64_t at = 0; at < images[i].size_bytes; at += kPageFrameBytes) {
      pieces.push_back(
          {i, at,
           static_cast<size_t>(std::min<uint64_t>(kPageFrameBytes, images[i].size_bytes - at))});
    }
  }
  return pieces;
}

uint64_t TotalBytes(std::span<const PagesToWrite> images) {
  uint64_t total_bytes = 0;
  for (const PagesToWrite& image : images) total_bytes += image.size_bytes;
  return total_bytes;
}

// A thread's own; a frame takes about a millisecond, so that to make them anew would show.
std::span<std::byte> PieceBuffer(size_t size_bytes) {
  thread_local std::vector<std::byte> buffer(kPageFrameBytes);
  return std::span(buffer).first(size_bytes);
}

// The disk begins now, for the file is synced before it gets its name. A hint.
void BeginWriteback(int fd, uint64_t offset, size_t size_bytes) {
  sync_file_range(fd, static_cast<off64_t>(offset), static_cast<off64_t>(size_bytes),
                  SYNC_FILE_RANGE_WRITE);
}

bool IsZero(Bytes bytes) {
  return bytes.front() == std::byte{0} &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

// Smaller holes take longer, with their extents, than their zeros. Larger writes want larger pieces
// of memory than the kernel keeps at hand (PAGE_ALLOC_COSTLY_ORDER); to a virtual machine its host
// may have to give those first, which takes longer than all else here.
constexpr size_t kBlockBytes = size_t{32} << 10;

// Blocks of zeros become holes.
Result<> WriteWithHoles(const PagesToWrite& image, Bytes pages, uint64_t offset) {
  for (size_t at = 0; at < pages.size(); at += kBlockBytes) {
    const Bytes block = pages.subspan(at, std::min(kBlockBytes, pages.size() - at));
    if (IsZero(block)) continue;
    CKPT_TRY(WriteAllAt(image.fd, block, offset + at, image.name));
  }
  BeginWriteback(image.fd, offset, pages.size());
  return success();
}

// With the hole at the end.
Result<> SetSize(const PagesToWrite& image) {
  if (ftruncate(image.fd, static_cast<off_t>(image.size_bytes)) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "ftruncate({}, {})", image.name, image.size_bytes);
}

class Compression {
 public:
  Compression(std::span<const PagesToWrite> images, const CompressionOptions& options)
      : images_(images),
        level_(options.level),
        pieces_(Cut(images)),
        thread_count_(std::max<size_t>(1, std::min(options.thread_count, pieces_.size()))),
        count_(options.progress, TotalBytes(images)),
        frames_(images.size()),
        ends_(images.size(), 0) {}

  Result<uint64_t> Run() {
    for (size_t i = 0; i < thread_count_; ++i)
      idle_.push_back(std::make_unique<PageCompressor>(level_));
    CKPT_TRY(WorkOnPieces(
        pieces_.size(), thread_count_, [this](size_t index) { return CompressPiece(index); },
        [this] { order_.Stop(); }));
    return WriteTables();
  }

 private:
  Result<> CompressPiece(size_t index) {
    std::unique_ptr<PageCompressor> compressor = TakeCompressor();
    Result<> done = CompressPiece(index, *compressor);
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(compressor));
    return done;
  }

  std::unique_ptr<PageCompressor> TakeCompressor() {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<PageCompressor> compressor = std::move(idle_.back());
    idle_.pop_back();
    return compressor;
  }

  Result<> CompressPiece(size_t index, PageCompressor& compressor) {
    const Piece& piece = pieces_[index];
    const PagesToWrite& image = images_[piece.image];
    CKPT_TRY(const Bytes pages, image.read(piece.offset, PieceBuffer(piece.size_bytes)));
    CKPT_TRY(const Bytes frame, compressor.Compress(pages));
    uint64_t at = 0;
    // After another thread's failure nothing matters any more.
    if (!order_.Pass(index, [&] { at = AddFrame(piece, frame.size()); })) return success();
    CKPT_TRY(WriteAllAt(image.fd, frame, at, image.name));
    BeginWriteback(image.fd, at, frame.size());
    return count_.Add(piece.size_bytes);
  }

  // Where it goes.
  uint64_t AddFrame(const Piece& piece, size_t frame_bytes) {
    const uint64_t at = ends_[piece.image];
    frames_[piece.image].push_back({.file_offset = at,
                                    .start = piece.offset,
                                    .compressed_bytes = static_cast<uint32_t>(frame_bytes),
                                    .size_bytes = static_cast<uint32_t>(piece.size_bytes)});
    ends_[piece.image] += frame_bytes;
    return at;
  }

  Result<uint64_t> WriteTables() {
    uint64_t total_bytes = 0;
    for (size_t i = 0; i < images_.size(); ++i) {
      const std::string table = EncodeSeekTable(frames_[i]);
      CKPT_TRY(WriteAllAt(images_[i].fd, AsBytes(table), ends_[i], images_[i].name));
      total_bytes += ends_[i] + table.size();
    }
    return total_bytes;
  }

  std::span<const PagesToWrite> images_;
  int level_;
  std::vector<Piece> pieces_;
  size_t thread_count_;
  PageCount count_;
  PieceOrder order_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<PageCompressor>> idle_;
  std::vector<std::vector<PageFrame>> frames_;  // by image
  std::vector<uint64_t> ends_;                  // of the last frame, by image
};

}  // namespace

Result<uint64_t> CompressPages(std::span<const PagesToWrite> images,
                               const CompressionOptions& options) {
  return Compression(images, options).Run();
}

// Pieces are written in order by one thread at a time: the kernel would let the others wait, too,
// and they would use a processor meanwhile.
Result<> WritePages(std::span<const PagesToWrite> images, const CompressionOptions& options) {
  const std::vector<Piece> pieces = Cut(images);
  PageCount count(options.progress, TotalBytes(images));
  PieceOrder order;
  const auto work = [&](size_t index) -> Result<> {
    const Piece& piece = pieces[index];
    const PagesToWrite& image = images[piece.image];
    CKPT_TRY(const Bytes pages, image.read(piece.offset, PieceBuffer(piece.size_bytes)));
    Result<> written = success();
    const auto write = [&] { written = WriteWithHoles(image, pages, piece.offset); };
    if (!order.Pass(index, write)) return success();
    CKPT_TRY(std::move(written));
    return count.Add(pages.size());
  };
  CKPT_TRY(WorkOnPieces(pieces.size(), options.thread_count, work, [&] { order.Stop(); }));
  for (const PagesToWrite& image : images) CKPT_TRY(SetSize(image));
  return success();
}

Result<std::string> CompressedZeros(uint64_t size_bytes) {
  PageCompressor compressor(kDefaultPageLevel);
  const std::vector<std::byte> zeros(std::min<uint64_t>(kPageFrameBytes, size_bytes));
  std::string image;
  std::string whole;  // a frame of the usual size, which all but the last have
  std::vector<PageFrame> frames;
  for (PageFrame frame; frame.start < size_bytes; frame.start += frame.size_bytes) {
    const size_t piece_bytes = std::min<uint64_t>(zeros.size(), size_bytes - frame.start);
    if (whole.empty() || piece_bytes != zeros.size()) {
      CKPT_TRY(const Bytes compressed, compressor.Compress(Bytes(zeros).first(piece_bytes)));
      whole = AsText(compressed);
    }
    frame.file_offset = image.size();
    frame.compressed_bytes = static_cast<uint32_t>(whole.size());
    frame.size_bytes = static_cast<uint32_t>(piece_bytes);
    frames.push_back(frame);
    image += whole;
  }
  return image + EncodeSeekTable(frames);
}

PagesToWrite PagesOf(const PagesImage& image, int fd, std::string name) {
  const auto read = [&image](uint64_t offset, std::span<std::byte> buffer) -> Result<Bytes> {
    CKPT_TRY(image.Read(offset, buffer));
    return Bytes(buffer);
  };
  return {.size_bytes = image.size_bytes(), .read = read, .fd = fd, .name = std::move(name)};
}

}  // namespace ckpt
