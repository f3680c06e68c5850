// UTF-8, strictly: what it may be, no more.
#ifndef FORMATS_UTF8_H_
#define FORMATS_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ckpt {

inline constexpr size_t kMaxUtf8Bytes = 4;

// One decoded character; size 0 where the bytes are none.
struct Utf8Character {
  uint32_t code = 0;
  size_t size = 0;
};

// The character of several bytes at the front of `text`, which is not empty. Nothing for ASCII,
// overlong forms, surrogates and what lies beyond U+10FFFF.
Utf8Character DecodeUtf8(std::string_view text);

// `code` is a character.
void AppendUtf8(uint32_t code, std::string& out);

}  // namespace ckpt

#endif  // FORMATS_UTF8_H_
