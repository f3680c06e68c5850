// Bounds-checked reading of untrusted bytes: the one way that the project takes input apart.
#ifndef BASE_BYTE_READER_H_
#define BASE_BYTE_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ckpt {

using Bytes = std::span<const std::byte>;

inline std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes AsBytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// A cursor over bytes that it does not own. Reads that would pass the end return nothing and leave
// the cursor where it was, so that the caller can name offset(), wanted and remaining().
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  size_t offset() const { return offset_; }
  size_t remaining() const { return bytes_.size() - offset_; }
  bool AtEnd() const { return remaining() == 0; }

  // Little-endian, as the image format is on every machine that it exists for.
  std::optional<uint32_t> ReadU32();
  std::optional<uint64_t> ReadU64();
  std::optional<Bytes> ReadBytes(size_t size_bytes);
  Bytes ReadRest();

  // A base-128 number of at most ten bytes (protobuf's varint). Nothing when it is cut short or
  // longer.
  std::optional<uint64_t> ReadVarint();

 private:
  Bytes bytes_;
  size_t offset_ = 0;
};

}  // namespace ckpt

#endif  // BASE_BYTE_READER_H_
