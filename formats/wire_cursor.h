// Wire bytes of messages for loops that must be quick: what WireReader (wire.h) does, inline and
// without errors that tell where. Whoever gets a false reads the message again by that one.
#ifndef FORMATS_WIRE_CURSOR_H_
#define FORMATS_WIRE_CURSOR_H_

#include <cstddef>
#include <cstdint>

#include "base/byte_reader.h"

namespace ckpt {

// Reads that would pass the end are false and leave the cursor anywhere.
class WireCursor {
 public:
  explicit WireCursor(Bytes message) : bytes_(message) {}

  bool AtEnd() const { return at_ == bytes_.size(); }
  size_t offset() const { return at_; }
  size_t remaining() const { return bytes_.size() - at_; }

  bool ReadVarint(uint64_t& value) {
    if (at_ == bytes_.size()) return false;
    const auto first = std::to_integer<uint64_t>(bytes_[at_]);
    if (first < 0x80) {
      value = first;
      ++at_;
      return true;
    }
    return ReadLongVarint(value);
  }

  // Since the cursor was made: a number that fewer bytes could have said.
  bool saw_padded_varint() const { return saw_padded_varint_; }

  bool ReadFixed64(uint64_t& value) { return ReadFixed(8, value); }
  bool ReadFixed32(uint64_t& value) { return ReadFixed(4, value); }

  bool ReadLengthDelimited(Bytes& value) {
    uint64_t length = 0;
    if (!ReadVarint(length) || length > remaining()) return false;
    value = bytes_.subspan(at_, length);
    at_ += length;
    return true;
  }

 private:
  bool ReadLongVarint(uint64_t& value) {
    value = 0;
    for (size_t i = 0; i < 10 && at_ + i < bytes_.size(); ++i) {
      const auto byte = std::to_integer<uint64_t>(bytes_[at_ + i]);
      value |= (byte & 0x7f) << (7 * i);
      if (byte >= 0x80) continue;
      saw_padded_varint_ = saw_padded_varint_ || byte == 0 || (i == 9 && byte > 1);
      at_ += i + 1;
      return true;
    }
    return false;
  }

  bool ReadFixed(size_t size_bytes, uint64_t& value) {
    if (remaining() < size_bytes) return false;
    value = 0;
    for (size_t i = size_bytes; i-- > 0;) {
      value = value << 8 | std::to_integer<uint64_t>(bytes_[at_ + i]);
    }
    at_ += size_bytes;
    return true;
  }

  Bytes bytes_;
  size_t at_ = 0;
  bool saw_padded_varint_ = false;
};

}  // namespace ckpt

#endif  // FORMATS_WIRE_CURSOR_H_
