#include "formats/byte_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ckpt {
namespace {

constexpr size_t kWindowBytes = size_t{256} << 10;

}  // namespace

Result<size_t> MemorySource::Read(std::span<std::byte> out) {
  const size_t size = std::min(out.size(), bytes_.size());
  std::copy_n(bytes_.data(), size, out.data());
  bytes_ = bytes_.subspan(size);
  return size;
}

DescriptorSource::DescriptorSource(int descriptor, std::string name)
    : descriptor_(descriptor), name_(std::move(name)) {
  struct stat status = {};
  if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) return;
  // Files of /proc have a size of 0, whatever they hold.
  const off_t position = lseek(descriptor_, 0, SEEK_CUR);
  if (position == 0 && status.st_size > 0) size_bytes_ = static_cast<uint64_t>(status.st_size);
}

Result<size_t> DescriptorSource::Read(std::span<std::byte> out) {
  while (true) {
    const ssize_t size = read(descriptor_, out.data(), out.size());
    const int saved = errno;
    if (size >= 0) return static_cast<size_t>(size);
    if (saved != EINTR) return ErrnoError(saved, "read(\"{}\", {} bytes)", name_, out.size());
  }
}

uint64_t DescriptorSource::Skip(uint64_t size_bytes) {
  const off_t here = size_bytes_ ? lseek(descriptor_, 0, SEEK_CUR) : -1;
  // Never beyond the end, so that what is cut short is found to be.
  if (here < 0 || static_cast<uint64_t>(here) >= *size_bytes_) return 0;
  const uint64_t step = std::min(*size_bytes_ - static_cast<uint64_t>(here), size_bytes);
  return lseek(descriptor_, static_cast<off_t>(step), SEEK_CUR) < 0 ? 0 : step;
}

Result<size_t> StreamSource::Read(std::span<std::byte> out) {
  in_.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  if (in_.bad()) return MakeError(ErrorCode::kSystem, "{}: reading failed", name_);
  return static_cast<size_t>(in_.gcount());
}

// All of a small file, and a byte to meet its end by.
ByteWindow::ByteWindow(ByteSource& source)
    : source_(source),
      capacity_(static_cast<size_t>(
          std::min<uint64_t>(kWindowBytes, source.size_bytes().value_or(kWindowBytes) + 1))) {
  buffer_ = std::make_unique_for_overwrite<std::byte[]>(capacity_);
}

void ByteWindow::Consume(size_t size_bytes) {
  CKPT_CHECK(size_bytes <= end_ - begin_);
  begin_ += size_bytes;
  offset_ += size_bytes;
}

void ByteWindow::PutBack(Bytes bytes) {
  CKPT_CHECK(bytes.size() <= offset_);
  const size_t visible_bytes = end_ - begin_;
  if (begin_ < bytes.size()) {
    const size_t capacity = std::max(capacity_, bytes.size() + visible_bytes);
    auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
    std::copy_n(buffer_.get() + begin_, visible_bytes, larger.get() + bytes.size());
    buffer_ = std::move(larger);
    capacity_ = capacity;
    begin_ = bytes.size();
    end_ = begin_ + visible_bytes;
  }
  begin_ -= bytes.size();
  offset_ -= bytes.size();
  std::ranges::copy(bytes, buffer_.get() + begin_);
}

Result<uint64_t> ByteWindow::Skip(uint64_t size_bytes) {
  uint64_t left = size_bytes;
  while (left > 0) {
    if (visible().empty()) {
      const uint64_t unread = source_.Skip(left);
      offset_ += unread;
      left -= unread;
      CKPT_TRY(Fill(left > 0 ? 1 : 0));
      if (visible().empty()) break;
    }
    const size_t step = static_cast<size_t>(std::min<uint64_t>(left, visible().size()));
    Consume(step);
    left -= step;
  }
  return size_bytes - left;
}

std::optional<uint64_t> ByteWindow::remaining() const {
  const std::optional<uint64_t> size = source_.size_bytes();
  // A file that grew while it was read has more than it said.
  if (!size || *size < offset_) return std::nullopt;
  return *size - offset_;
}

// Only called when the window is too small: room for what is visible, and at least twice as much.
void ByteWindow::MakeRoom(size_t size_bytes) {
  const size_t visible_bytes = end_ - begin_;
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, visible_bytes);
    begin_ = 0;
    end_ = visible_bytes;
  }
  // By halves, so that only bytes that are there make it grow.
  if (end_ < capacity_ || size_bytes <= capacity_) return;
  auto larger = std::make_unique_for_overwrite<std::byte[]>(2 * capacity_);
  std::memcpy(larger.get(), buffer_.get(), visible_bytes);
  buffer_ = std::move(larger);
  capacity_ *= 2;
}

Result<> ByteWindow::Fill(size_t size_bytes) {
  while (end_ - begin_ < size_bytes && !at_end_) {
    MakeRoom(size_bytes);
    CKPT_TRY(const size_t size, source_.Read({buffer_.get() + end_, capacity_ - end_}));
    end_ += size;
    at_end_ = size == 0;
  }
  return success();
}

}  // namespace ckpt
