#include "imgtool/memory/memory_image.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "base/file.h"
#include "base/progress.h"

namespace ckpt {
namespace {

bool IsGap(const MemoryPiece& piece) {
  return piece.origin != PageOrigin::kStored && piece.origin != PageOrigin::kZero;
}

Result<> CheckGaps(const ProcessMemory& memory, AddressRange range, Gaps gaps,
                   const NoteGap& note) {
  return memory.ForEachPiece(range, [&](const MemoryPiece& piece) -> Result<bool> {
    if (!IsGap(piece)) return true;
    if (gaps == Gaps::kRefused) return MissingPiece(memory, piece);
    note(piece);
    return true;
  });
}

void WriteZeros(uint64_t size_bytes, std::ostream& out) {
  static constexpr std::array<char, 65536> kZeros = {};
  while (size_bytes > 0 && out) {
    const uint64_t part = std::min<uint64_t>(size_bytes, kZeros.size());
    out.write(kZeros.data(), static_cast<std::streamsize>(part));
    size_bytes -= part;
  }
}

Result<> SetSize(int fd, uint64_t size_bytes, const std::string& path) {
  if (size_bytes > static_cast<uint64_t>(std::numeric_limits<off_t>::max())) {
    return MakeError(ErrorCode::kUnsupported, "{}: no file can have {} bytes", path, size_bytes);
  }
  if (ftruncate(fd, static_cast<off_t>(size_bytes)) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "ftruncate(\"{}\", {})", path, size_bytes);
}

}  // namespace

Result<> WriteMemory(const ProcessMemory& memory, AddressRange range, Gaps gaps, std::ostream& out,
                     const NoteGap& note) {
  CKPT_TRY(CheckGaps(memory, range, gaps, note));
  return memory.ForEachBytes(range, [&](const MemoryPiece& piece, Bytes bytes) -> Result<bool> {
    if (bytes.empty()) WriteZeros(piece.range.size_bytes(), out);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    return !!out;
  });
}

Result<> WriteMemoryFile(const ProcessMemory& memory, AddressRange range, Gaps gaps,
                         const std::string& path, const NoteGap& note) {
  CKPT_TRY(CheckGaps(memory, range, gaps, note));
  CKPT_TRY(StagedFile file, StagedFile::Create(path, 0600));
  CKPT_TRY(SetSize(file.fd(), range.size_bytes(), path));
  Progress progress("writing memory");
  const auto write = [&](const MemoryPiece& piece, Bytes bytes) -> Result<bool> {
    CKPT_TRY(WriteAllAt(file.fd(), bytes, piece.range.start - range.start, path));
    progress.Update(piece.range.end - range.start, range.size_bytes());
    return true;
  };
  CKPT_TRY(memory.ForEachBytes(range, write));
  return file.Commit();
}

}  // namespace ckpt
