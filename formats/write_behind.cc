#include "formats/write_behind.h"

#include <algorithm>
#include <utility>

namespace ckpt {

// One piece is always filled.
WriteBehind::WriteBehind(ByteSink out) : out_(std::move(out)), work_(1, kPieces - 1) {}

Result<> WriteBehind::Write(Bytes bytes) {
  while (!bytes.empty() && done_) {
    Piece& piece = Current();
    if (!piece.bytes) piece.bytes = std::make_unique_for_overwrite<std::byte[]>(kPieceBytes);
    const size_t size = std::min(bytes.size(), kPieceBytes - piece.size_bytes);
    std::copy_n(bytes.data(), size, piece.bytes.get() + piece.size_bytes);
    piece.size_bytes += size;
    bytes = bytes.subspan(size);
    if (piece.size_bytes == kPieceBytes) HandOver();
  }
  return done_;
}

void WriteBehind::HandOver() {
  Piece& piece = Current();
  work_.Add([this, &piece] { piece.done = out_(Bytes(piece.bytes.get(), piece.size_bytes)); },
            [this, &piece] {
              piece.size_bytes = 0;
              if (done_) done_ = std::move(piece.done);
            });
  // Makes the next one free.
  work_.WaitForRoom();
}

Result<> WriteBehind::Finish() {
  if (done_ && Current().size_bytes > 0) HandOver();
  work_.Finish();
  return done_;
}

}  // namespace ckpt
