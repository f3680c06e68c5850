#include "formats/utf8.h"

namespace ckpt {
namespace {

uint32_t Byte(char c) { return static_cast<unsigned char>(c); }

size_t SequenceSize(uint32_t lead) {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

bool IsForbidden(uint32_t code, size_t size) {
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  return code < kSmallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff);
}

}  // namespace

Utf8Character DecodeUtf8(std::string_view text) {
  const uint32_t lead = Byte(text[0]);
  const size_t size = SequenceSize(lead);
  if (size == 0 || text.size() < size) return {};
  uint32_t code = lead & (0x7fu >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((Byte(text[i]) & 0xc0) != 0x80) return {};
    code = code << 6 | (Byte(text[i]) & 0x3f);
  }
  if (IsForbidden(code, size)) return {};
  return {code, size};
}

void AppendUtf8(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  const int tails = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr uint32_t kLeads[] = {0, 0xc0, 0xe0, 0xf0};
  out += static_cast<char>(kLeads[tails] | code >> (6 * tails));
  for (int i = tails - 1; i >= 0; --i) {
    out += static_cast<char>(0x80 | (code >> (6 * i) & 0x3f));
  }
}

}  // namespace ckpt
