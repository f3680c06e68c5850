#include "imgtool/input_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <istream>

namespace ckpt {

namespace {
constexpr size_t kBlockBytes = size_t{256} << 10;
}  // namespace

Result<InputSource> InputSource::OfFile(const std::string& path) {
  CKPT_TRY(UniqueFd fd, OpenFile(path, O_RDONLY));
  return InputSource(path, std::move(fd), nullptr);
}

Result<size_t> InputSource::ReadInto(char* room, size_t size_bytes) {
  if (in_ != nullptr) {
    in_->read(room, static_cast<std::streamsize>(size_bytes));
    return static_cast<size_t>(in_->gcount());
  }
  while (true) {
    const ssize_t got = read(fd_.get(), room, size_bytes);
    if (got >= 0) return static_cast<size_t>(got);
    const int saved = errno;
    if (saved != EINTR) return ErrnoError(saved, "read({}, {} bytes)", name_, size_bytes);
  }
}

Result<Bytes> InputSource::Peek(size_t size_bytes) {
  while (head_.size() < size_bytes) {
    const size_t had = head_.size();
    head_.resize(size_bytes);
    CKPT_TRY(const size_t got, ReadInto(head_.data() + had, size_bytes - had));
    head_.resize(had + got);
    if (got == 0) break;
  }
  return AsBytes(head_).first(std::min(size_bytes, head_.size()));
}

Result<Bytes> InputSource::Read() {
  if (!head_.empty()) {
    buffer_ = std::exchange(head_, std::string());
    return AsBytes(buffer_);
  }
  buffer_.resize(kBlockBytes);
  CKPT_TRY(const size_t got, ReadInto(buffer_.data(), buffer_.size()));
  return AsBytes(buffer_).first(got);
}

std::optional<InputSource::Position> InputSource::FindPosition() const {
  struct stat status = {};
  if (in_ != nullptr || fstat(fd_.get(), &status) != 0) return std::nullopt;
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  const off_t here = lseek(fd_.get(), 0, SEEK_CUR);
  if (here < 0 || here > status.st_size) return std::nullopt;
  return Position{static_cast<uint64_t>(here), static_cast<uint64_t>(status.st_size)};
}

uint64_t InputSource::Skip(uint64_t size_bytes) {
  const auto position = FindPosition();
  if (!position || !head_.empty()) return 0;
  // Never beyond the end, so that what is cut short is found to be.
  const uint64_t step = std::min(position->total_bytes - position->done_bytes, size_bytes);
  return lseek(fd_.get(), static_cast<off_t>(step), SEEK_CUR) < 0 ? 0 : step;
}

}  // namespace ckpt
