// Base64 as crit writes it: lines of 76 characters. Both ways run at the speed of memory where the
// processor has AVX2, and elsewhere by tables, with the same results.
#ifndef FORMATS_BASE64_H_
#define FORMATS_BASE64_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_reader.h"

namespace ckpt {

// What a line of base64 holds, and how long the full line is without its end.
inline constexpr size_t kBase64LineBytes = 57;
inline constexpr size_t kBase64LineChars = 76;
// A full line with its end as JSON spells it.
inline constexpr size_t kBase64JsonLineChars = kBase64LineChars + 2;

constexpr size_t Base64Chars(size_t size_bytes) { return (size_bytes + 2) / 3 * 4; }

// Writes Base64Chars(bytes.size()) characters, padded; gives the end.
char* WriteBase64(Bytes bytes, char* out);

// The same in lines, each ended by the two characters of JSON's line end, also the last one. Of
// `out` Base64JsonChars(bytes.size()) are written.
constexpr size_t Base64JsonChars(size_t size_bytes) {
  return Base64Chars(size_bytes) + (size_bytes + kBase64LineBytes - 1) / kBase64LineBytes * 2;
}
char* WriteBase64JsonLines(Bytes bytes, char* out);

// Base64 text as it comes in, piece by piece; line ends may stand anywhere.
class Base64Decoder {
 public:
  // Decodes all of `text`; `out` has room for text.size() / 4 * 3 + 3 bytes, and what was decoded
  // is at its front. Gives the count of bytes, or kBadText, after which position() tells where.
  static constexpr size_t kBadText = SIZE_MAX;
  size_t Decode(std::span<const char> text, std::span<std::byte> out);

  // Decodes full lines with their ends as JSON spells them from the front of `text`, as many as are
  // there and fit into `out` with kLineSlackBytes to spare: gives how many. What it does not take
  // is not wrong but slower to read.
  static constexpr size_t kLineSlackBytes = 8;
  size_t DecodeJsonLines(std::span<const char> text, std::span<std::byte> out);

  // Whether what was decoded may end here: after whole groups of four characters.
  bool AtEnd() const { return pending_ == 0; }

  // Of the character in the last text that no base64 has there.
  size_t position() const { return position_; }

 private:
  bool Step(char c, std::byte*& out);

  uint32_t group_ = 0;
  int pending_ = 0;  // characters of the group so far
  int padding_ = 0;
  size_t position_ = 0;
};

}  // namespace ckpt

#endif  // FORMATS_BASE64_H_
