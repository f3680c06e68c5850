// Writing done by another thread than that which makes what is written, so that neither waits for
// the other.
#ifndef FORMATS_WRITE_BEHIND_H_
#define FORMATS_WRITE_BEHIND_H_

#include <cstddef>
#include <memory>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/byte_sink.h"
#include "formats/ordered_work.h"

namespace ckpt {

class WriteBehind {
 public:
  // `out` is called from a thread of this object's, in order, with pieces of kPieceBytes.
  explicit WriteBehind(ByteSink out);

  // Takes a copy; waits while too much was not written. Fails when an earlier write was seen to
  // fail, and then drops what it is given.
  Result<> Write(Bytes bytes);
  // Waits until all is written. To be called before the end, which does not write what is left.
  Result<> Finish();

  static constexpr size_t kPieceBytes = size_t{256} << 10;

 private:
  static constexpr size_t kPieces = 4;

  struct Piece {
    std::unique_ptr<std::byte[]> bytes;
    size_t size_bytes = 0;
    Result<> done = success();
  };

  Piece& Current() { return pieces_[work_.next_number() % kPieces]; }
  void HandOver();

  ByteSink out_;
  Piece pieces_[kPieces];
  Result<> done_ = success();
  OrderedWork work_;  // last: its thread ends before the pieces go
};

}  // namespace ckpt

#endif  // FORMATS_WRITE_BEHIND_H_
