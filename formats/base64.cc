#include "formats/base64.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace ckpt {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr uint8_t kNoDigit = 255;

constexpr std::array<uint8_t, 256> MakeValues() {
  std::array<uint8_t, 256> values{};
  for (uint8_t& value : values) value = kNoDigit;
  for (size_t i = 0; i < kDigits.size(); ++i) {
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<uint8_t>(i);
  }
  return values;
}
constexpr std::array<uint8_t, 256> kValues = MakeValues();

char Digit(uint32_t triple, int shift) { return kDigits[(triple >> shift) & 63]; }

uint32_t At(Bytes bytes, size_t i) {
  return i < bytes.size() ? std::to_integer<uint32_t>(bytes[i]) : 0;
}

// At most three bytes.
char* WriteGroup(Bytes bytes, char* out) {
  const uint32_t triple = At(bytes, 0) << 16 | At(bytes, 1) << 8 | At(bytes, 2);
  out[0] = Digit(triple, 18);
  out[1] = Digit(triple, 12);
  out[2] = bytes.size() > 1 ? Digit(triple, 6) : '=';
  out[3] = bytes.size() > 2 ? Digit(triple, 0) : '=';
  return out + 4;
}

char* WriteGroups(Bytes bytes, char* out) {
  while (!bytes.empty()) {
    const size_t size = std::min<size_t>(3, bytes.size());
    out = WriteGroup(bytes.first(size), out);
    bytes = bytes.subspan(size);
  }
  return out;
}

bool HasAvx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}

// The vector forms follow W. Mula and D. Lemire, "Faster Base64 Encoding and Decoding Using AVX2
// Instructions" (2018).
#define CKPT_AVX2 __attribute__((target("avx2")))

// 24 bytes, of which each lane holds 12 at its bytes 4 to 15 and 0 to 11, to 32 digits.
CKPT_AVX2 inline __m256i DigitsOf(__m256i bytes) {
  const __m256i spread = _mm256_shuffle_epi8(
      bytes, _mm256_setr_epi8(5, 4, 6, 5, 8, 7, 9, 8, 11, 10, 12, 11, 14, 13, 15, 14, 1, 0, 2, 1, 4,
                              3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
  const __m256i high = _mm256_mulhi_epu16(_mm256_and_si256(spread, _mm256_set1_epi32(0x0fc0fc00)),
                                          _mm256_set1_epi32(0x04000040));
  const __m256i low = _mm256_mullo_epi16(_mm256_and_si256(spread, _mm256_set1_epi32(0x003f03f0)),
                                         _mm256_set1_epi32(0x01000010));
  const __m256i values = _mm256_or_si256(high, low);
  // 13 for A-Z, 0 for a-z, 1 to 12 for the others.
  __m256i kind = _mm256_subs_epu8(values, _mm256_set1_epi8(51));
  const __m256i is_upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), values);
  kind = _mm256_or_si256(kind, _mm256_and_si256(is_upper, _mm256_set1_epi8(13)));
  const __m256i offsets =
      _mm256_setr_epi8(71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0, 71, -4, -4,
                       -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0);
  return _mm256_add_epi8(values, _mm256_shuffle_epi8(offsets, kind));
}

// A full line: 76 digits are two vectors and a third one that ends with the line. Reads 4 bytes
// before `bytes` and 4 behind the line.
CKPT_AVX2 char* WriteLineAvx2(const std::byte* bytes, char* out) {
  for (const size_t digit : {0, 32, 44}) {
    const auto* from = reinterpret_cast<const __m256i_u*>(bytes - 4 + digit / 4 * 3);
    _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(out + digit),
                        DigitsOf(_mm256_loadu_si256(from)));
  }
  return out + kBase64LineChars;
}

// 32 digits to 24 bytes, stored as 32 of which the last 8 mean nothing. False: no digits.
CKPT_AVX2 inline bool BytesOf(const char* digits, std::byte* out) {
  const __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(digits));
  const __m256i low_table =
      _mm256_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b,
                       0x1b, 0x1b, 0x1a, 0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                       0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
  const __m256i high_table =
      _mm256_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10,
                       0x10, 0x10, 0x10, 0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10,
                       0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
  const __m256i roll_table =
      _mm256_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 19, 4, -65,
                       -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi32(text, 4), nibble);
  const __m256i low = _mm256_and_si256(text, nibble);
  const __m256i wrong =
      _mm256_and_si256(_mm256_shuffle_epi8(low_table, low), _mm256_shuffle_epi8(high_table, high));
  if (_mm256_testz_si256(wrong, wrong) == 0) return false;
  const __m256i is_slash = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('/'));
  const __m256i roll = _mm256_shuffle_epi8(roll_table, _mm256_add_epi8(is_slash, high));
  const __m256i values = _mm256_add_epi8(text, roll);
  const __m256i pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi32(0x01400140));
  __m256i triples = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
  triples = _mm256_shuffle_epi8(
      triples, _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, 2, 1, 0, 6,
                                5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
  triples = _mm256_permutevar8x32_epi32(triples, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7));
  _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(out), triples);
  return true;
}

// Whole vectors of digits from the front of `text`; what it leaves is for the tables. `room` is
// what may be written, which is more than what means something.
CKPT_AVX2 size_t DecodeRunAvx2(std::span<const char> text, std::byte* out, size_t room) {
  size_t done = 0;
  while (text.size() - done >= 32 && room >= done / 4 * 3 + 32) {
    if (!BytesOf(text.data() + done, out + done / 4 * 3)) break;
    done += 32;
  }
  return done;
}

// Writes 8 bytes more than the line has.
CKPT_AVX2 bool DecodeLineAvx2(const char* line, std::byte* out) {
  for (const size_t digit : {0, 32, 44}) {
    if (!BytesOf(line + digit, out + digit / 4 * 3)) return false;
  }
  return true;
}

bool DecodeGroup(const char* text, std::byte* out) {
  const uint32_t a = kValues[static_cast<unsigned char>(text[0])];
  const uint32_t b = kValues[static_cast<unsigned char>(text[1])];
  const uint32_t c = kValues[static_cast<unsigned char>(text[2])];
  const uint32_t d = kValues[static_cast<unsigned char>(text[3])];
  if ((a | b | c | d) > 63) return false;
  const uint32_t triple = a << 18 | b << 12 | c << 6 | d;
  out[0] = static_cast<std::byte>(triple >> 16);
  out[1] = static_cast<std::byte>(triple >> 8);
  out[2] = static_cast<std::byte>(triple);
  return true;
}

// Whole groups from the front of `text`: how many characters.
size_t DecodeRun(std::span<const char> text, std::byte* out, size_t room) {
  size_t done = HasAvx2() ? DecodeRunAvx2(text, out, room) : 0;
  while (text.size() - done >= 4 && DecodeGroup(text.data() + done, out + done / 4 * 3)) done += 4;
  return done;
}

}  // namespace

char* WriteBase64(Bytes bytes, char* out) { return WriteGroups(bytes, out); }

char* WriteBase64JsonLines(Bytes bytes, char* out) {
  bool first = true;
  while (!bytes.empty()) {
    const size_t size = std::min(bytes.size(), kBase64LineBytes);
    // The vector form reads a little around its bytes.
    const bool vector = !first && bytes.size() >= kBase64LineBytes + 4 && HasAvx2();
    out = vector ? WriteLineAvx2(bytes.data(), out) : WriteGroups(bytes.first(size), out);
    *out++ = '\\';
    *out++ = 'n';
    bytes = bytes.subspan(size);
    first = false;
  }
  return out;
}

size_t Base64Decoder::DecodeJsonLines(std::span<const char> text, std::span<std::byte> out) {
  if (!AtEnd() || padding_ > 0 || !HasAvx2()) return 0;
  const size_t most = std::min(
      text.size() / kBase64JsonLineChars,
      out.size() < kLineSlackBytes ? 0 : (out.size() - kLineSlackBytes) / kBase64LineBytes);
  size_t lines = 0;
  for (; lines < most; ++lines) {
    const char* line = text.data() + lines * kBase64JsonLineChars;
    if (line[kBase64LineChars] != '\\' || line[kBase64LineChars + 1] != 'n') break;
    if (!DecodeLineAvx2(line, out.data() + lines * kBase64LineBytes)) break;
  }
  return lines;
}

size_t Base64Decoder::Decode(std::span<const char> text, std::span<std::byte> out) {
  std::byte* to = out.data();
  size_t at = 0;
  while (at < text.size()) {
    if (pending_ == 0 && padding_ == 0) {
      const auto written = static_cast<size_t>(to - out.data());
      const size_t run = DecodeRun(text.subspan(at), to, out.size() - written);
      at += run;
      to += run / 4 * 3;
      if (at == text.size()) break;
    }
    position_ = at;
    if (!Step(text[at], to)) return kBadText;
    ++at;
  }
  return static_cast<size_t>(to - out.data());
}

bool Base64Decoder::Step(char c, std::byte*& out) {
  if (c == '\n' || c == '\r') return true;
  if (c == '=') {
    if (padding_ == 0 && pending_ < 2) return false;
    if (padding_ > 0 && pending_ == 0) return false;
    ++padding_;
    group_ <<= 6;
  } else {
    const uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (value == kNoDigit || padding_ > 0) return false;
    group_ = group_ << 6 | value;
  }
  if (++pending_ < 4) return true;
  // Bits that no byte has are zero: else another text would mean the same bytes.
  if (padding_ > 0 && (group_ & ((1u << (8 * padding_)) - 1)) != 0) return false;
  for (int i = 0; i < 3 - padding_; ++i) *out++ = static_cast<std::byte>(group_ >> (16 - 8 * i));
  group_ = 0;
  pending_ = 0;
  return true;
}

}  // namespace ckpt
