#include "base/byte_reader.h"

namespace ckpt {

namespace {

template <typename Number>
std::optional<Number> LittleEndian(std::optional<Bytes> bytes) {
  if (!bytes) return std::nullopt;
  Number number = 0;
  for (size_t i = sizeof(Number); i-- > 0;) {
    number = static_cast<Number>(number << 8 | std::to_integer<Number>((*bytes)[i]));
  }
  return number;
}

}  // namespace

std::optional<uint32_t> ByteReader::ReadU32() {
  return LittleEndian<uint32_t>(ReadBytes(sizeof(uint32_t)));
}

std::optional<uint64_t> ByteReader::ReadU64() {
  return LittleEndian<uint64_t>(ReadBytes(sizeof(uint64_t)));
}

std::optional<Bytes> ByteReader::ReadBytes(size_t size_bytes) {
  if (size_bytes > remaining()) return std::nullopt;
  const Bytes taken = bytes_.subspan(offset_, size_bytes);
  offset_ += size_bytes;
  return taken;
}

Bytes ByteReader::ReadRest() { return *ReadBytes(remaining()); }

std::optional<uint64_t> ByteReader::ReadVarint() {
  uint64_t number = 0;
  for (size_t i = 0; i < 10 && i < remaining(); ++i) {
    const auto byte = std::to_integer<uint64_t>(bytes_[offset_ + i]);
    number |= (byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) {
      offset_ += i + 1;
      return number;
    }
  }
  return std::nullopt;
}

}  // namespace ckpt
