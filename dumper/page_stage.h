// The way of pages from frozen processes to their pages-N.img: several threads read them into
// buffers that were allocated and touched before the freeze, one writes the buffers to the file.
// The process need be frozen only until all are read. Writing waits until it is allowed, or asked
// for by Finish(), so that it takes no processor from those who work under the freeze; where the
// buffers do not hold everything, it must be allowed earlier, for reading then waits for writing.
#ifndef DUMPER_PAGE_STAGE_H_
#define DUMPER_PAGE_STAGE_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "process/remote_memory.h"
#include "process/remote_ptr.h"

namespace ckpt {

// Memory in equal pieces, each touched already, so that filling it under a freeze costs no fault.
class PageBuffers {
 public:
  static constexpr size_t kPieceBytes = size_t{1} << 20;

  // At least one piece.
  static Result<PageBuffers> Create(size_t size_bytes);
  PageBuffers(PageBuffers&& other) noexcept : memory_(std::exchange(other.memory_, {})) {}
  PageBuffers& operator=(PageBuffers&&) = delete;
  ~PageBuffers();

  size_t piece_count() const { return memory_.size() / kPieceBytes; }
  std::span<std::byte> piece(size_t index) const {
    return memory_.subspan(index * kPieceBytes, kPieceBytes);
  }

 private:
  explicit PageBuffers(std::span<std::byte> memory) : memory_(memory) {}
  std::span<std::byte> memory_;
};

class PageStage {
 public:
  // Told after each buffer how many bytes are in the file; from the writing thread. An error that
  // it returns ends the work.
  using Progress = std::function<Result<>(uint64_t written_bytes, uint64_t total_bytes)>;

  // What goes into one file, from offset 0 on: `ranges` of `memory`, or of the file `fd` where
  // there is no memory, in order. All outlive the stage.
  struct Source {
    const RemoteMemory* memory = nullptr;
    std::span<const RemoteRange> ranges;
    int fd = -1;
    bool waits = false;  // is not read before Release()
  };

  // `buffers` outlive the stage. The threads start here, for that, too, takes time that a frozen
  // process should not pay for.
  PageStage(const PageBuffers& buffers, size_t reader_count, Progress progress);
  PageStage(const PageStage&) = delete;
  PageStage& operator=(const PageStage&) = delete;
  ~PageStage();  // gives up what is not read or written yet

  void StartReading(std::vector<Source> sources);

  // True when every page that may be read has its place in the buffers.
  bool FitsBuffers() const { return readable_count_ <= buffers_.piece_count(); }
  // `fds` has the file of each source.
  void AllowWriting(std::vector<int> fds);

  // Waits until every page that may be read is in a buffer or in the file.
  Result<> FinishReading();

  // The sources that wait may be read from now on, and FinishReading() waits for them, too; before,
  // they can be given another memory, with the same pages.
  void Release();
  void ReadFrom(size_t source, const RemoteMemory& memory) { sources_[source].memory = &memory; }

  // Waits until every page is in its file, after AllowWriting().
  Result<> Finish();

  // The pages of each source, in order, in the buffers: once all are read, where they fit, and
  // instead of AllowWriting(). They stay as long as the stage.
  std::vector<std::vector<Bytes>> PartsBySource() const;

 private:
  // What one source has in a buffer.
  struct Part {
    size_t source = 0;
    std::vector<RemoteRange> ranges;
    uint64_t file_offset = 0;
    size_t size_bytes = 0;
  };
  // What fills one buffer.
  struct Piece {
    std::vector<Part> parts;
    size_t size_bytes = 0;
  };
  struct FilledBuffer {
    size_t buffer = 0;
    size_t piece = 0;
  };

  void Cut(size_t source, std::span<const RemoteRange> ranges, size_t first_piece);
  Result<> ReadPiece(const Piece& piece, std::span<std::byte> into) const;
  Result<> ReadPart(const Part& part, std::span<std::byte> into) const;
  Result<> WritePiece(const Piece& piece, std::span<const std::byte> bytes) const;
  void ReadPieces();
  std::optional<size_t> TakePiece();
  void WritePieces();
  std::optional<size_t> TakeBuffer();
  void Fail(Error error);
  Result<> Outcome() const;

  const PageBuffers& buffers_;
  const Progress progress_;

  std::vector<Source> sources_;  // set, with pieces_, before started_
  std::vector<Piece> pieces_;    // those of sources that wait come last
  size_t readable_count_ = 0;    // of pieces_, from the front
  std::vector<int> fds_;         // set before may_write_
  std::mutex mutex_;
  std::condition_variable start_;  // readers wait for it
  std::condition_variable changed_;
  std::condition_variable all_read_;  // or an error: FinishReading() waits for it
  std::vector<size_t> free_;          // of buffers
  std::deque<FilledBuffer> to_write_;
  uint64_t total_bytes_ = 0;
  size_t next_piece_ = 0;
  size_t unread_count_ = 0;  // of readable pieces
  bool started_ = false;
  bool may_write_ = false;
  bool no_more_ = false;  // nothing will be added to to_write_
  std::optional<Error> error_;
  std::vector<std::thread> readers_;
  std::thread writer_;
};

}  // namespace ckpt

#endif  // DUMPER_PAGE_STAGE_H_
