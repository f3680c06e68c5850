#include "dumper/page_stage.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

Result<> WritePages(int fd, const PageStage::HeldPages& pages) {
  CKPT_TRY(WriteAllAt(fd, pages.bytes, pages.file_offset, "pages"));
  // The disk begins now, for the file is synced before it gets its name. A hint.
  sync_file_range(fd, static_cast<off64_t>(pages.file_offset),
                  static_cast<off64_t>(pages.bytes.size()), SYNC_FILE_RANGE_WRITE);
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

std::vector<PageStage::PlacedRange> PageStage::PlaceInOrder(std::span<const RemoteRange> ranges) {
  std::vector<PlacedRange> placed;
  uint64_t offset = 0;
  for (const RemoteRange& range : ranges) {
    placed.push_back({range, offset});
    offset += range.size_bytes();
  }
  return placed;
}

// Ranges into pieces, those for slots apart from those for buffers.
class PageStage::Cutter {
 public:
  std::vector<Piece> Cut(std::span<const Source> sources) {
    for (size_t i = 0; i < sources.size(); ++i) {
      for (const PlacedRange& placed : sources[i].ranges) Take(i, placed);
    }
    return std::move(pieces_);
  }

 private:
  void Take(size_t source, PlacedRange rest) {
    while (rest.range.size_bytes() > 0) {
      Piece& piece = PieceFor(rest.slot != nullptr);
      Part& part = PartFor(piece, source, rest);
      const uint64_t taken =
          std::min<uint64_t>(rest.range.size_bytes(), PageBuffers::kPieceBytes - piece.size_bytes);
      part.ranges.push_back({rest.range.start, rest.range.start + taken});
      part.size_bytes += taken;
      piece.size_bytes += taken;
      rest.range.start += taken;
      rest.file_offset += taken;
      if (rest.slot == nullptr) continue;
      part.slots.emplace_back(rest.slot, taken);
      rest.slot += taken;
    }
  }

  Piece& PieceFor(bool has_slots) {
    std::optional<size_t>& open = open_[has_slots ? 1 : 0];
    if (!open || pieces_[*open].size_bytes == PageBuffers::kPieceBytes) {
      open = pieces_.size();
      pieces_.push_back({.parts = {}, .has_slots = has_slots});
    }
    return pieces_[*open];
  }

  // A part goes on as long as its file does.
  static Part& PartFor(Piece& piece, size_t source, const PlacedRange& next) {
    const bool goes_on =
        !piece.parts.empty() && piece.parts.back().source == source &&
        (piece.has_slots ||
         piece.parts.back().file_offset + piece.parts.back().size_bytes == next.file_offset);
    if (!goes_on) {
      piece.parts.push_back(
          {.source = source, .ranges = {}, .slots = {}, .file_offset = next.file_offset});
    }
    return piece.parts.back();
  }

  std::vector<Piece> pieces_;
  std::array<std::optional<size_t>, 2> open_;  // the piece that is being filled, of each kind
};

void PageStage::StartReading(std::vector<Source> sources) {
  pieces_ = Cutter().Cut(sources);
  sources_ = std::move(sources);
  const auto is_buffered = [](const Piece& piece) { return !piece.has_slots; };
  buffered_pieces_ = static_cast<size_t>(std::ranges::count_if(pieces_, is_buffered));
  {
    const std::lock_guard lock(mutex_);
    for (const Piece& piece : pieces_) total_bytes_ += piece.has_slots ? 0 : piece.size_bytes;
    for (const Source& source : sources_) {
      for (const HeldPages& held : source.held) total_bytes_ += held.bytes.size();
    }
    unread_count_ = pieces_.size();
    started_ = true;
  }
  // To wake a thread takes as long as to read some hundred pages.
  if (pieces_.size() <= kPiecesOfOneReader) {
    start_.notify_one();
  } else {
    start_.notify_all();
  }
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
  no_more_ = true;
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
  std::vector<std::vector<HeldPages>> pages;
  for (const Source& source : sources_) pages.push_back(source.held);
  for (size_t i = 0; i < pieces_.size(); ++i) {
    if (pieces_[i].has_slots) continue;
    Bytes bytes = buffers_.piece(buffers[i]);
    for (const Part& part : pieces_[i].parts) {
      pages[part.source].push_back({bytes.first(part.size_bytes), part.file_offset});
      bytes = bytes.subspan(part.size_bytes);
    }
  }
  std::vector<std::vector<Bytes>> parts(sources_.size());
  for (size_t i = 0; i < pages.size(); ++i) {
    std::ranges::sort(pages[i], {}, &HeldPages::file_offset);
    for (const HeldPages& part : pages[i]) parts[i].push_back(part.bytes);
  }
  return parts;
}

void PageStage::AwaitStart() {
  std::unique_lock lock(mutex_);
  start_.wait(lock, [this] { return started_ || error_; });
}

void PageStage::ReadPieces() {
  AwaitStart();
  while (true) {
    const size_t index = next_piece_.fetch_add(1);
    if (index >= pieces_.size()) return;
    const Piece& piece = pieces_[index];
    std::optional<size_t> buffer;
    if (!piece.has_slots && !(buffer = TakeBuffer())) return;
    Result<> read = ReadPiece(piece, buffer ? buffers_.piece(*buffer) : std::span<std::byte>());
    if (read.has_error()) return Fail(std::move(read).error());
    {
      const std::lock_guard lock(mutex_);
      if (buffer) to_write_.push_back({*buffer, index});
      if (--unread_count_ == 0) all_read_.notify_one();
      if (!may_write_) continue;
    }
    changed_.notify_all();
  }
}

Result<> PageStage::ReadPiece(const Piece& piece, std::span<std::byte> into) const {
  for (const Part& part : piece.parts) {
    if (piece.has_slots) {
      CKPT_TRY(sources_[part.source].memory->ReadRanges(part.ranges, part.slots));
      continue;
    }
    CKPT_TRY(ReadPart(part, into.first(part.size_bytes)));
    into = into.subspan(part.size_bytes);
  }
  return success();
}

Result<> PageStage::ReadPart(const Part& part, std::span<std::byte> into) const {
  const Source& source = sources_[part.source];
  if (source.memory != nullptr) return source.memory->ReadRanges(part.ranges, into);
  for (const RemoteRange& range : part.ranges) {
    CKPT_TRY(ReadAllAt(source.fd, range.start, into.first(range.size_bytes())));
    into = into.subspan(range.size_bytes());
  }
  return success();
}

Result<> PageStage::WritePiece(const Piece& piece, std::span<const std::byte> bytes) const {
  for (const Part& part : piece.parts) {
    CKPT_TRY(WritePages(fds_[part.source], {bytes.first(part.size_bytes), part.file_offset}));
    bytes = bytes.subspan(part.size_bytes);
  }
  return success();
}

// Once everything is read, for slots are a part of it.
Result<> PageStage::WriteHeld(uint64_t written_bytes, uint64_t total_bytes) const {
  for (size_t i = 0; i < sources_.size(); ++i) {
    for (HeldPages rest : sources_[i].held) {
      while (!rest.bytes.empty()) {
        const size_t taken = std::min(rest.bytes.size(), PageBuffers::kPieceBytes);
        CKPT_TRY(WritePages(fds_[i], {rest.bytes.first(taken), rest.file_offset}));
        rest = {rest.bytes.subspan(taken), rest.file_offset + taken};
        written_bytes += taken;
        if (progress_) CKPT_TRY(progress_(written_bytes, total_bytes));
      }
    }
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
    if (error_) return;
    if (to_write_.empty()) break;
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
  const uint64_t total_bytes = total_bytes_;
  lock.unlock();
  Result<> written = WriteHeld(written_bytes, total_bytes);
  if (written.has_error()) Fail(std::move(written).error());
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
