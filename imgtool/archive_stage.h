// A new zstd archive that is begun before its changes are known: members that are too big to be
// kept in memory are compressed as they are read; for the small ones between them room is left,
// which is filled when their changes are known. What is left of the room becomes a frame that
// readers of zstd pass over.
#ifndef IMGTOOL_ARCHIVE_STAGE_H_
#define IMGTOOL_ARCHIVE_STAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/compressed_stream.h"
#include "formats/tar_stream.h"

namespace ckpt {

// A member of the archive that is rewritten.
struct ArchiveItem {
  TarMember header;
  std::string path;
  bool is_kept = false;  // its data is in memory
};

class ArchiveStage {
 public:
  // `fd`, of an empty file, stays the caller's.
  static Result<std::unique_ptr<ArchiveStage>> Create(int fd, std::string name);

  // In the order of the archive: the size of a small member with its headers and padding, or the
  // parts of a big one.
  void LeaveRoom(uint64_t size_bytes) { room_bytes_ += size_bytes; }
  Result<> BeginBig();
  Result<> Write(Bytes bytes) { return writer_->Write(bytes); }
  Result<> EndBig() { return writer_->Finish(); }

  // How many rooms there are; the last one, behind the last big member, has no limit.
  size_t room_count() const { return rooms_.size() + 1; }
  // Fills them in turn. False, and no more use of this object, where the bytes do not fit.
  Result<bool> FillRoom(const std::string& bytes);

 private:
  struct Room {
    uint64_t offset;
    uint64_t size_bytes;
  };

  ArchiveStage(int fd, std::string name, std::unique_ptr<CompressedWriter> writer)
      : fd_(fd), name_(std::move(name)), writer_(std::move(writer)) {}

  int fd_;
  std::string name_;
  std::unique_ptr<CompressedWriter> writer_;
  uint64_t room_bytes_ = 0;
  std::vector<Room> rooms_;
  size_t filled_ = 0;
};

}  // namespace ckpt

#endif  // IMGTOOL_ARCHIVE_STAGE_H_
