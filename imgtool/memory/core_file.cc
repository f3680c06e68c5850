#include "imgtool/memory/core_file.h"

#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/progress.h"
#include "imgtool/memory/core_layout.h"
#include "imgtool/memory/core_notes.h"

namespace ckpt {
namespace {

Result<> SetSize(int fd, uint64_t size_bytes, const std::string& path) {
  if (ftruncate(fd, static_cast<off_t>(size_bytes)) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "ftruncate(\"{}\", {})", path, size_bytes);
}

// Writes the pages into their segments; both come by ascending address.
class PageWriter {
 public:
  PageWriter(int fd, const std::string& path, const std::vector<CoreSegment>& segments,
             uint64_t file_bytes)
      : fd_(fd), path_(path), next_(segments.begin()), end_(segments.end()), total_(file_bytes) {}

  Result<bool> Write(const MemoryPiece& piece, Bytes bytes) {
    if (bytes.empty() || piece.vma == nullptr) return true;
    while (next_ != end_ && next_->range.end <= piece.range.start) ++next_;
    CKPT_CHECK(next_ != end_ && next_->has_bytes && next_->range.start <= piece.range.start);
    const uint64_t offset = next_->file_offset + (piece.range.start - next_->range.start);
    CKPT_TRY(WriteAllAt(fd_, bytes, offset, path_));
    progress_.Update(offset + bytes.size(), total_);
    return true;
  }

 private:
  int fd_;
  const std::string& path_;
  std::vector<CoreSegment>::const_iterator next_;
  std::vector<CoreSegment>::const_iterator end_;
  uint64_t total_;
  Progress progress_{"writing core"};
};

}  // namespace

Result<> WriteCoreFile(const ProcessMemory& memory, const std::vector<DumpedThread>& threads,
                       const std::string& path) {
  CKPT_TRY(const std::string notes, BuildCoreNotes(memory, threads));
  CKPT_TRY(std::vector<CoreSegment> segments, PlanCoreSegments(memory));
  CKPT_TRY(const CoreFrame frame, PlaceCore(notes, segments));
  CKPT_TRY(StagedFile file, StagedFile::Create(path, 0600));
  CKPT_TRY(SetSize(file.fd(), frame.file_bytes, path));
  CKPT_TRY(WriteAllAt(file.fd(), AsBytes(frame.head), 0, path));
  PageWriter pages(file.fd(), path, segments, frame.file_bytes);
  const auto write = [&](const MemoryPiece& piece, Bytes bytes) {
    return pages.Write(piece, bytes);
  };
  CKPT_TRY(memory.ForEachBytes(kAllAddresses, write));
  return file.Commit();
}

}  // namespace ckpt
