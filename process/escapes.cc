#include "process/escapes.h"

#include <cstddef>

namespace ckpt {

namespace {

bool IsOctalDigit(char c) { return c >= '0' && c <= '7'; }

bool IsEscape(std::string_view text) {
  return text.size() >= 4 && text[0] == '\\' && text[1] >= '0' && text[1] <= '3' &&
         IsOctalDigit(text[2]) && IsOctalDigit(text[3]);
}

char EscapedByte(std::string_view escape) {
  return static_cast<char>((escape[1] - '0') << 6 | (escape[2] - '0') << 3 | (escape[3] - '0'));
}

template <typename Wanted>
std::string Unescape(std::string_view text, Wanted wanted) {
  std::string plain;
  plain.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const bool escape = IsEscape(text.substr(i)) && wanted(EscapedByte(text.substr(i)));
    plain += escape ? EscapedByte(text.substr(i)) : text[i];
    i += escape ? 4 : 1;
  }
  return plain;
}

}  // namespace

std::string UnescapeOctal(std::string_view text) {
  return Unescape(text, [](char) { return true; });
}

std::string UnescapeNewlines(std::string_view text) {
  if (text.find('\\') == std::string_view::npos) return std::string(text);
  return Unescape(text, [](char byte) { return byte == '\n'; });
}

}  // namespace ckpt
