#include "dumper/page_stage.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include "base/file.h"

namespace ckpt {

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

PageStage::PageStage(const PageBuffers& buffers, int fd, size_t reader_count, Progress progress)
    : buffers_(buffers), fd_(fd), progress_(std::move(progress)), free_(buffers.piece_count()) {
  std::iota(free_.begin(), free_.end(), size_t{0});
  for (size_t i = 0; i < reader_count; ++i) readers_.emplace_back([this] { ReadPieces(); });
  writer_ = std::thread([this] { WritePieces(); });
}

PageStage::~PageStage() {
  Fail(MakeError(ErrorCode::kInternal, "page stage given up"));
  for (std::thread& reader : readers_) reader.join();
  if (writer_.joinable()) writer_.join();
}

std::vector<PageStage::Piece> PageStage::Cut(std::span<const RemoteRange> ranges) {
  std::vector<Piece> pieces;
  uint64_t offset = 0;
  for (RemoteRange rest : ranges) {
    while (rest.size_bytes() > 0) {
      if (pieces.empty() || pieces.back().size_bytes == PageBuffers::kPieceBytes) {
        pieces.push_back({.ranges = {}, .file_offset = offset, .size_bytes = 0});
      }
      Piece& piece = pieces.back();
      const uint64_t taken =
          std::min<uint64_t>(rest.size_bytes(), PageBuffers::kPieceBytes - piece.size_bytes);
      piece.ranges.push_back({rest.start, rest.start + taken});
      piece.size_bytes += taken;
      offset += taken;
      rest.start += taken;
    }
  }
  return pieces;
}

void PageStage::StartReading(const RemoteMemory& memory, std::span<const RemoteRange> ranges) {
  pieces_ = Cut(ranges);
  memory_ = &memory;
  {
    const std::lock_guard lock(mutex_);
    for (const Piece& piece : pieces_) total_bytes_ += piece.size_bytes;
    started_ = true;
  }
  changed_.notify_all();
}

void PageStage::AllowWriting() {
  {
    const std::lock_guard lock(mutex_);
    may_write_ = true;
  }
  changed_.notify_all();
}

Result<> PageStage::FinishReading() {
  for (std::thread& reader : readers_) reader.join();
  readers_.clear();
  const std::lock_guard lock(mutex_);
  no_more_ = true;
  return Outcome();
}

Result<> PageStage::Finish() {
  AllowWriting();
  if (writer_.joinable()) writer_.join();
  const std::lock_guard lock(mutex_);
  return Outcome();
}

void PageStage::AwaitStart() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return started_ || error_; });
}

void PageStage::ReadPieces() {
  AwaitStart();
  while (true) {
    const size_t index = next_piece_.fetch_add(1);
    if (index >= pieces_.size()) return;
    const Piece& piece = pieces_[index];
    const std::optional<size_t> buffer = TakeBuffer();
    if (!buffer) return;
    Result<> read =
        memory_->ReadRanges(piece.ranges, buffers_.piece(*buffer).first(piece.size_bytes));
    if (read.has_error()) return Fail(std::move(read).error());
    {
      const std::lock_guard lock(mutex_);
      to_write_.push_back({*buffer, piece.file_offset, piece.size_bytes});
      if (!may_write_) continue;
    }
    changed_.notify_all();
  }
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
    Result<> written = WriteAllAt(fd_, buffers_.piece(filled.buffer).first(filled.size_bytes),
                                  filled.file_offset, "pages");
    // The disk begins now, for the file is synced before it gets its name. A hint.
    sync_file_range(fd_, static_cast<off64_t>(filled.file_offset),
                    static_cast<off64_t>(filled.size_bytes), SYNC_FILE_RANGE_WRITE);
    written_bytes += filled.size_bytes;
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
  changed_.notify_all();
}

// With the mutex held.
Result<> PageStage::Outcome() const {
  if (error_) return *error_;
  return success();
}

}  // namespace ckpt
