// Wire bytes of messages as they are made, field after field, for loops that must be quick.
#ifndef FORMATS_WIRE_BUFFER_H_
#define FORMATS_WIRE_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

// Positions are counted from the start of the buffer.
class WireBuffer {
 public:
  size_t size() const { return size_; }
  Bytes From(size_t position) const { return Bytes(bytes_.get() + position, size_ - position); }
  void Clear() { size_ = 0; }
  void Truncate(size_t size) { size_ = std::min(size_, size); }

  void Append(Bytes bytes) {
    MakeRoom(bytes.size());
    if (!bytes.empty()) std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void Append(std::string_view text) { Append(AsBytes(text)); }
  // One or two bytes.
  void AppendTag(std::string_view tag) {
    MakeRoom(2);
    bytes_[size_++] = static_cast<std::byte>(tag[0]);
    if (tag.size() > 1) bytes_[size_++] = static_cast<std::byte>(tag[1]);
  }

  void AppendVarint(uint64_t value) {
    MakeRoom(kMaxVarintBytes);
    while (value >= 0x80) {
      bytes_[size_++] = static_cast<std::byte>(value | 0x80);
      value >>= 7;
    }
    bytes_[size_++] = static_cast<std::byte>(value);
  }

  void AppendLittleEndian(uint64_t value, size_t size_bytes) {
    MakeRoom(size_bytes);
    WriteLittleEndian(value, size_bytes, size_);
    size_ += size_bytes;
  }
  // Over bytes that are there.
  void PutU32(uint32_t value, size_t position) {
    CKPT_CHECK(position + 4 <= size_);
    WriteLittleEndian(value, 4, position);
  }

  // A length in front of what will be appended until EndLength(), which is given what this gives.
  size_t BeginLength() {
    MakeRoom(1);
    return ++size_;
  }
  void EndLength(size_t begin) {
    const uint64_t length = size_ - begin;
    if (length < 0x80) {
      bytes_[begin - 1] = static_cast<std::byte>(length);
    } else {
      WidenLength(begin, length);
    }
  }

 private:
  static constexpr size_t kMaxVarintBytes = 10;

  // Moves what was appended to make place for a length of more than one byte.
  void WidenLength(size_t begin, uint64_t length) {
    size_t width = 1;
    for (uint64_t rest = length; rest >= 0x80; rest >>= 7) ++width;
    MakeRoom(width - 1);
    std::memmove(bytes_.get() + begin - 1 + width, bytes_.get() + begin, length);
    const size_t end = size_ + width - 1;
    size_ = begin - 1;
    AppendVarint(length);
    size_ = end;
  }

  void WriteLittleEndian(uint64_t value, size_t size_bytes, size_t position) {
    for (size_t i = 0; i < size_bytes; ++i) {
      bytes_[position + i] = static_cast<std::byte>(value >> (8 * i));
    }
  }

  void MakeRoom(size_t size_bytes) {
    if (capacity_ - size_ < size_bytes) Grow(size_bytes);
  }
  void Grow(size_t size_bytes) {
    capacity_ = std::max(2 * capacity_, size_ + size_bytes + 1024);
    auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity_);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
  }

  std::unique_ptr<std::byte[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace ckpt

#endif  // FORMATS_WIRE_BUFFER_H_
