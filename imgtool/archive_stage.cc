#include "imgtool/archive_stage.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file.h"
#include "formats/zstd_stream.h"

namespace ckpt {

namespace {

Result<uint64_t> Seek(int fd, off_t offset, int whence, const std::string& name) {
  const off_t now = lseek(fd, offset, whence);
  const int saved = errno;
  if (now < 0) return ErrnoError(saved, "lseek({}, {})", name, offset);
  return static_cast<uint64_t>(now);
}

}  // namespace

Result<std::unique_ptr<ArchiveStage>> ArchiveStage::Create(int fd, std::string name) {
  CKPT_TRY(auto writer, CreateZstdWriter(fd, name));
  return std::unique_ptr<ArchiveStage>(new ArchiveStage(fd, std::move(name), std::move(writer)));
}

Result<> ArchiveStage::BeginBig() {
  const uint64_t size_bytes =
      MaxZstdFrameBytes(std::exchange(room_bytes_, 0)) + kSkippableHeadBytes;
  CKPT_TRY(const uint64_t offset, Seek(fd_, 0, SEEK_CUR, name_));
  CKPT_TRY(Seek(fd_, static_cast<off_t>(size_bytes), SEEK_CUR, name_));
  rooms_.push_back({offset, size_bytes});
  return success();
}

Result<bool> ArchiveStage::FillRoom(const std::string& bytes) {
  CKPT_TRY(const std::string frame, ZstdFrame(AsBytes(bytes)));
  if (filled_ == rooms_.size()) {
    CKPT_TRY(Seek(fd_, 0, SEEK_END, name_));
    CKPT_TRY(WriteAll(fd_, AsBytes(frame), name_));
    return true;
  }
  const Room& room = rooms_[filled_++];
  if (frame.size() + kSkippableHeadBytes > room.size_bytes) return false;
  const std::string rest = ZstdSkippableHead(room.size_bytes - frame.size());
  CKPT_TRY(WriteAllAt(fd_, AsBytes(frame + rest), room.offset, name_));
  return true;
}

}  // namespace ckpt
