#include "imgtool/octal_text.h"

#include <algorithm>

namespace ckpt {

namespace {

bool IsOctalDigit(char character) { return character >= '0' && character <= '7'; }

bool IsOctalByte(std::string_view digits) {
  return digits.size() == 3 && std::ranges::all_of(digits, IsOctalDigit) && digits[0] <= '3';
}

char OctalByte(std::string_view digits) {
  return static_cast<char>((digits[0] - '0') << 6 | (digits[1] - '0') << 3 | (digits[2] - '0'));
}

}  // namespace

std::string EscapeOctal(std::string_view bytes, std::string_view also) {
  std::string text;
  text.reserve(bytes.size());
  for (const char byte : bytes) {
    const bool plain =
        byte >= ' ' && byte < '\x7f' && byte != '\\' && also.find(byte) == std::string_view::npos;
    if (plain) {
      text += byte;
    } else {
      text += fmt::format("\\{:03o}", static_cast<unsigned char>(byte));
    }
  }
  return text;
}

Result<std::string> UnescapeOctal(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 3);
    if (!IsOctalByte(digits)) {
      return MakeError(ErrorCode::kBadFormat,
                       "\"\\{}\" at byte {}: a backslash is followed by three octal digits of at "
                       "most 377, as in \\040 or \\134",
                       digits, i);
    }
    bytes += OctalByte(digits);
    i += 3;
  }
  return bytes;
}

}  // namespace ckpt
