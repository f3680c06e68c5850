#include "dumper/page_stage.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include "base/file.h"

namespace ckpt {

namespace {

constexpr size_t kPiecesOfOneReader = 4;

Result<> ReadAllAt(int fd, uint64_t offset, std::span<std::byte> into) {
  while (!into.empty()) {
    const ssize_t got = pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
    const int saved = errno;
    if (got < 0 && saved == EINTR) continue;
    if (got < 0) return ErrnoError(saved, "pread of shared memory at {:#x}", offset);
    if (got == 0) {
      return MakeError(ErrorCode::kSystem, "shared memory ends at {:#x}, {} bytes are missing",
                       offset, into.size());
    }
    into = into.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  return success();
}

}  // namespace

Result<PageBuffers> PageBuffers::Create(size_t size_bytes) {
  const size_t rounded =
      std::max(kPieceBytes, (size_bytes + kPieceBytes - 1) / kPieceBytes * kPieceBytes);
  void* memory = mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const int saved = errno;
  if (memory == MAP_FAILED) return ErrnoError(saved, "mmap of {} bytes of buffers", rounded);
  // Huge pages are touched, and later filled, several times as fast. A hint: it may be refused.
  madvise(memory, rounded, MADV_HUGEPAGE);
  const std::span<std::byte> bytes(static_cast<std::byte*>(memory), rounded);
  for (size_t at = 0; at < rounded; at += kPageSize) bytes[at] = std::byte{1};
  return PageBuffers(bytes);
}

PageBuffers::~PageBuffers() {
  if (!memory_.empty()) munmap(memory_.data(), memory_.size());
}

PageStage::PageStage(const PageBuffers& buffers, size_t reader_count, Progress progress)
    : buffers_(buffers), progress_(std::move(progress)), free_(buffers.piece_count()) {
  std::iota(free_.begin(), free_.end(), size_t{0});
  for (size_t i = 0; i < reader_count; ++i) readers_.emplace_back([this] { ReadPieces(); });
  writer_ = std::thread([this] { WritePieces(); });
}

PageStage::~PageStage() {
  Fail(MakeError(ErrorCode::kInternal, "page stage given up"));
  for (std::thread& reader : readers_) reader.join();
  if (writer_.joinable()) writer_.join();
}

// Into new pieces, and what room there is from `first_piece` on.
void PageStage::Cut(size_t source, std::span<const RemoteRange> ranges, size_t first_piece) {
  uint64_t offset = 0;
  for (RemoteRange rest : ranges) {
    while (rest.size_bytes() > 0) {
      if (pieces_.size() == first_piece || pieces_.back().size_bytes == PageBuffers::kPieceBytes) {
        pieces_.emplace_back();
      }
      Piece& piece = pieces_.back();
      if (piece.parts.empty() || piece.parts.back().source != source) {
        piece.parts.push_back({.source = source, .ranges = {}, .file_offset = offset});
      }
      const uint64_t taken =
          std::min<uint64_t>(rest.size_bytes(), PageBuffers::kPieceBytes - piece.size_bytes);
      piece.parts.back().ranges.push_back({rest.start, rest.start + taken});
      piece.parts.back().size_bytes += taken;
      piece.size_bytes += taken;
      offset += taken;
      rest.start += taken;
    }
  }
}

void PageStage::StartReading(std::vector<Source> sources) {
  sources_ = std::move(sources);
  std::unique_lock lock(mutex_);
  for (const bool waits : {false, true}) {
    const size_t first_piece = pieces_.size();
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (sources_[i].waits == waits) Cut(i, sources_[i].ranges, first_piece);
    }
    if (!waits) readable_count_ = pieces_.size();
  }
  for (const Piece& piece : pieces_) total_bytes_ += piece.size_bytes;
  unread_count_ = readable_count_;
  started_ = true;
  lock.unlock();
  // To wake a thread takes as long as to read some hundred pages.
  if (readable_count_ <= kPiecesOfOneReader) {
    start_.notify_one();
  } else {
    start_.notify_all();
  }
}

void PageStage::Release() {
  {
    const std::lock_guard lock(mutex_);
    unread_count_ += pieces_.size() - readable_count_;
    readable_count_ = pieces_.size();
  }
  start_.notify_all();
}

void PageStage::AllowWriting(std::vector<int> fds) {
  {
    const std::lock_guard lock(mutex_);
    fds_ = std::move(fds);
    may_write_ = true;
  }
  changed_.notify_all();
}

// The threads end later: neither their end nor the writer's wake-up is for the frozen to pay for.
Result<> PageStage::FinishReading() {
  std::unique_lock lock(mutex_);
  all_read_.wait(lock, [this] { return (started_ && unread_count_ == 0) || error_; });
  no_more_ = readable_count_ == pieces_.size();
  if (may_write_) changed_.notify_all();
  return Outcome();
}

Result<> PageStage::Finish() {
  if (writer_.joinable()) writer_.join();
  const std::lock_guard lock(mutex_);
  return Outcome();
}

std::vector<std::vector<Bytes>> PageStage::PartsBySource() const {
  CKPT_CHECK(FitsBuffers() && no_more_ && !may_write_);
  std::vector<size_t> buffers(pieces_.size());  // by piece
  for (const FilledBuffer& filled : to_write_) buffers[filled.piece] = filled.buffer;
  std::vector<std::vector<Bytes>> parts(sources_.size());
  for (size_t i = 0; i < pieces_.size(); ++i) {
    Bytes bytes = buffers_.piece(buffers[i]);
    for (const Part& part : pieces_[i].parts) {
      parts[part.source].push_back(bytes.first(part.size_bytes));
      bytes = bytes.subspan(part.size_bytes);
    }
  }
  return parts;
}

// The next that may be read, once there is one; nothing when no more are to be read.
std::optional<size_t> PageStage::TakePiece() {
  std::unique_lock lock(mutex_);
  start_.wait(lock, [this] {
    const bool is_all_readable = readable_count_ == pieces_.size();
    return (started_ && (next_piece_ < readable_count_ || is_all_readable)) || error_;
  });
  if (error_ || next_piece_ == pieces_.size()) return std::nullopt;
  return next_piece_++;
}

void PageStage::ReadPieces() {
  while (const std::optional<size_t> index = TakePiece()) {
    const Piece& piece = pieces_[*index];
    const std::optional<size_t> buffer = TakeBuffer();
    if (!buffer) return;
    Result<> read = ReadPiece(piece, buffers_.piece(*buffer));
    if (read.has_error()) return Fail(std::move(read).error());
    {
      const std::lock_guard lock(mutex_);
      to_write_.push_back({*buffer, *index});
      if (--unread_count_ == 0) all_read_.notify_one();
      if (!may_write_) continue;
    }
    changed_.notify_all();
  }
}

Result<> PageStage::ReadPiece(const Piece& piece, std::span<std::byte> into) const {
  for (const Part& part : piece.parts) {
    CKPT_TRY(ReadPart(part, into.first(part.size_bytes)));
    into = into.subspan(part.size_bytes);
  }
  return success();
}

Result<> PageStage::ReadPart(const Part& part, std::span<std::byte> into) const {
  const Source& source = sources_[part.source];
  if (source.memory != nullptr) {
    Result<> read = source.memory->ReadRanges(part.ranges, into);
    if (read.has_error() && source.waits) return std::move(read).error().In("a snapshot");
    return read;
  }
  for (const RemoteRange& range : part.ranges) {
    CKPT_TRY(ReadAllAt(source.fd, range.start, into.first(range.size_bytes())));
    into = into.subspan(range.size_bytes());
  }
  return success();
}

Result<> PageStage::WritePiece(const Piece& piece, std::span<const std::byte> bytes) const {
  for (const Part& part : piece.parts) {
    const int fd = fds_[part.source];
    CKPT_TRY(WriteAllAt(fd, bytes.first(part.size_bytes), part.file_offset, "pages"));
    // The disk begins now, for the file is synced before it gets its name. A hint.
    sync_file_range(fd, static_cast<off64_t>(part.file_offset),
                    static_cast<off64_t>(part.size_bytes), SYNC_FILE_RANGE_WRITE);
    bytes = bytes.subspan(part.size_bytes);
  }
  return success();
}

// Nothing after a failure.
std::optional<size_t> PageStage::TakeBuffer() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !free_.empty() || error_; });
  if (error_) return std::nullopt;
  const size_t buffer = free_.back();
  free_.pop_back();
  return buffer;
}

void PageStage::WritePieces() {
  uint64_t written_bytes = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock,
                  [this] { return (may_write_ && (!to_write_.empty() || no_more_)) || error_; });
    if (error_ || to_write_.empty()) return;
    const FilledBuffer filled = to_write_.front();
    to_write_.pop_front();
    const uint64_t total_bytes = total_bytes_;
    lock.unlock();
    const Piece& piece = pieces_[filled.piece];
    Result<> written = WritePiece(piece, buffers_.piece(filled.buffer));
    written_bytes += piece.size_bytes;
    if (written.has_value() && progress_) written = progress_(written_bytes, total_bytes);
    if (written.has_error()) return Fail(std::move(written).error());
    lock.lock();
    free_.push_back(filled.buffer);
    changed_.notify_all();
  }
}

void PageStage::Fail(Error error) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }
  start_.notify_all();
  changed_.notify_all();
  all_read_.notify_all();
}

// With the mutex held.
Result<> PageStage::Outcome() const {
  if (error_) return *error_;
  return success();
}

}  // namespace ckpt
