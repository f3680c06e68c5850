#include "formats/json_reader.h"

#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "formats/utf8.h"

namespace ckpt {
namespace {

// What is shown to whoever looks ahead: a window's worth.
constexpr size_t kAheadBytes = size_t{256} << 10;
// How much of a text a message shows.
constexpr size_t kShownBytes = 60;

bool IsBlank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// What may stand in a string as itself, one byte for one character.
constexpr std::array<bool, 256> MakePlain() {
  std::array<bool, 256> plain{};
  for (size_t c = ' '; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}
constexpr std::array<bool, 256> kPlain = MakePlain();

bool IsPlain(char c) { return kPlain[static_cast<unsigned char>(c)]; }

size_t PlainSize(std::string_view text) {
  size_t size = 0;
  while (size < text.size() && IsPlain(text[size])) ++size;
  return size;
}

size_t CountLineEnds(std::string_view text) {
  constexpr size_t kStep = sizeof(__m128i);
  const __m128i zero = _mm_setzero_si128();
  __m128i sums = zero;
  for (; text.size() >= kStep; text.remove_prefix(kStep)) {
    const __m128i piece = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(text.data()));
    const __m128i found = _mm_cmpeq_epi8(piece, _mm_set1_epi8('\n'));
    sums = _mm_add_epi64(sums, _mm_sad_epu8(_mm_sub_epi8(zero, found), zero));
  }
  const auto low = static_cast<size_t>(_mm_cvtsi128_si64(sums));
  const auto high = static_cast<size_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
  return low + high + static_cast<size_t>(std::ranges::count(text, '\n'));
}

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsPrintable(char c) { return c >= ' ' && c < 0x7f; }

// A character for a message.
std::string Shown(char c) {
  if (IsPrintable(c)) return fmt::format("'{}'", c);
  return fmt::format("byte {:#04x}", static_cast<unsigned char>(c));
}

}  // namespace

// The lines that end in what is no longer visible from now on.
void JsonReader::CountLines() {
  const std::string_view passed = text_.substr(0, at_);
  if (passed.empty()) return;
  const void* const last = memrchr(passed.data(), '\n', passed.size());
  if (last == nullptr) return;
  lines_ += CountLineEnds(passed);
  const auto last_at = static_cast<size_t>(static_cast<const char*>(last) - passed.data());
  line_start_ = window_.offset() + last_at + 1;
}

bool JsonReader::More() {
  if (failed_) return false;
  const size_t before = text_.size() - at_;
  return Show(before + 1) && text_.size() > before;
}

// False when reading failed.
bool JsonReader::Show(size_t size) {
  CountLines();
  window_.Consume(at_);
  value_at_ = value_at_ > at_ ? value_at_ - at_ : 0;
  at_ = 0;
  Result<> filled = window_.Fill(size);
  text_ = AsText(window_.visible());
  if (filled) return true;
  failed_ = true;
  error_ = std::move(filled).error();
  return false;
}

std::string_view JsonReader::LookAhead() {
  return !failed_ && Show(kAheadBytes) ? text_ : std::string_view();
}

JsonReader::Position JsonReader::PassOver(size_t size) {
  CKPT_CHECK(at_ == 0 && size <= text_.size());
  at_ = size;
  return {window_.offset(), lines_, line_start_};
}

void JsonReader::GoBack(const Position& position, std::string_view text) {
  window_.Consume(at_);
  window_.PutBack(AsBytes(text));
  CKPT_CHECK(window_.offset() == position.offset);
  text_ = AsText(window_.visible());
  at_ = 0;
  value_at_ = 0;
  lines_ = position.lines;
  line_start_ = position.line_start;
}

bool JsonReader::SkipSomeBlanks() {
  while (true) {
    while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
    if (at_ < text_.size() || !More()) return !failed_;
  }
}

bool JsonReader::Fail(std::string text) {
  if (failed_) return false;
  failed_ = true;
  const std::string_view passed = text_.substr(0, value_at_);
  const size_t last = passed.rfind('\n');
  const uint64_t offset = window_.offset() + value_at_;
  const uint64_t start = last == std::string_view::npos ? line_start_ : window_.offset() + last + 1;
  error_line_ = lines_ + static_cast<uint64_t>(std::ranges::count(passed, '\n')) + 1;
  error_column_ = offset - start + 1;
  error_ = Error{ErrorCode::kBadFormat, std::move(text)};
  return false;
}

std::string JsonReader::Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, kShownBytes)) quoted += IsPrintable(c) ? c : '?';
  return quoted + (text.size() > kShownBytes ? "\"..." : "\"");
}

Error JsonReader::TakeError() {
  Error error = std::move(error_);
  if (error_line_ == 0) return error;
  if (path_.starts_with('.')) path_.erase(0, 1);
  if (!path_.empty()) error = std::move(error).In(path_);
  return std::move(error).In(
      fmt::format("{}: line {}, column {}", name_, error_line_, error_column_));
}

bool JsonReader::Unexpected(std::string_view wanted) {
  value_at_ = at_;
  if (AtEnd()) return Fail(fmt::format("the text ends where {} is expected", wanted));
  return Fail(fmt::format("{} where {} is expected", Shown(Current()), wanted));
}

bool JsonReader::Expect(char bracket, std::string_view what) {
  if (!SkipBlanks()) return false;
  value_at_ = at_;
  if (Current() != bracket) return Unexpected(what);
  ++at_;
  return true;
}

bool JsonReader::Peek(JsonKind& kind) {
  if (!SkipBlanks()) return false;
  value_at_ = at_;
  const char c = Current();
  if (c == '{') {
    kind = JsonKind::kObject;
  } else if (c == '[') {
    kind = JsonKind::kArray;
  } else if (c == '"') {
    kind = JsonKind::kString;
  } else if (c == '-' || IsDigit(c)) {
    kind = JsonKind::kNumber;
  } else if (c == 't' || c == 'f') {
    kind = JsonKind::kBool;
  } else if (c == 'n') {
    kind = JsonKind::kNull;
  } else if (AtEnd()) {
    kind = JsonKind::kEnd;
    return !failed_;
  } else {
    return Unexpected("a value");
  }
  return true;
}

JsonStep JsonReader::NextMember(bool first, std::string_view& key) {
  if (!SkipBlanks()) return JsonStep::kFailed;
  if (Current() == '}') {
    value_at_ = at_;
    ++at_;
    return JsonStep::kEnd;
  }
  if (!first) {
    if (Current() != ',') return Unexpected("',' or '}'"), JsonStep::kFailed;
    ++at_;
    if (!SkipBlanks()) return JsonStep::kFailed;
  }
  if (Current() != '"') return Unexpected("a key"), JsonStep::kFailed;
  if (!ReadString(key)) return JsonStep::kFailed;
  if (at_ < text_.size() && text_[at_] == ':') {
    ++at_;
    return JsonStep::kItem;
  }
  // What is visible may move.
  key_.assign(key);
  key = key_;
  if (!SkipBlanks()) return JsonStep::kFailed;
  if (Current() != ':') return Unexpected("':'"), JsonStep::kFailed;
  ++at_;
  return JsonStep::kItem;
}

JsonStep JsonReader::NextElement(bool first) {
  if (!SkipBlanks()) return JsonStep::kFailed;
  if (Current() == ']') {
    ++at_;
    return JsonStep::kEnd;
  }
  if (first) return JsonStep::kItem;
  if (Current() != ',') return Unexpected("',' or ']'"), JsonStep::kFailed;
  ++at_;
  return JsonStep::kItem;
}

bool JsonReader::ExpectWord(std::string_view word) {
  while (text_.size() - at_ < word.size() && More()) continue;
  if (!text_.substr(at_).starts_with(word)) return Unexpected("a value");
  at_ += word.size();
  return true;
}

bool JsonReader::ReadBool(bool& value) {
  if (!SkipBlanks()) return false;
  value_at_ = at_;
  value = Current() == 't';
  if (!value && Current() != 'f') return Unexpected("true or false");
  return ExpectWord(value ? "true" : "false");
}

bool JsonReader::ReadInteger(uint64_t& magnitude, bool& negative) {
  if (!SkipBlanks()) return false;
  value_at_ = at_;
  if (text_.size() - at_ < kMostDigits + 2) More();
  size_t at = at_;
  negative = at < text_.size() && text_[at] == '-';
  if (negative) ++at;
  const size_t begin = at;
  uint64_t value = 0;
  bool fits = true;
  for (; at < text_.size() && IsDigit(text_[at]); ++at) {
    const auto digit = static_cast<uint64_t>(text_[at] - '0');
    if (at - begin >= kMostDigits - 1) {
      fits = fits && at - begin < kMostDigits && value <= (UINT64_MAX - digit) / 10;
    }
    value = value * 10 + digit;
  }
  if (at == begin) return Unexpected("a whole number");
  if (!fits) return Fail("a number beyond 64 bits");
  if (text_[begin] == '0' && at - begin > 1) return Fail("a number that begins with 0");
  if (at < text_.size() && (text_[at] == '.' || text_[at] == 'e' || text_[at] == 'E')) {
    return Fail("a number with a fraction or an exponent where a whole one is expected");
  }
  at_ = at;
  magnitude = value;
  return true;
}

bool JsonReader::ReadString(std::string_view& bytes) {
  if (!SkipBlanks()) return false;
  value_at_ = at_;
  if (Current() != '"') return Unexpected("a string");
  ++at_;
  const size_t size = PlainSize(text_.substr(at_));
  if (at_ + size < text_.size() && text_[at_ + size] == '"') {
    bytes = text_.substr(at_, size);
    at_ += size + 1;
    return true;
  }
  return ReadLongString(bytes);
}

// One with escapes, or that runs out of what is visible.
bool JsonReader::ReadLongString(std::string_view& bytes) {
  scratch_.clear();
  while (true) {
    const size_t size = PlainSize(text_.substr(at_));
    scratch_ += text_.substr(at_, size);
    at_ += size;
    if (AtEnd()) return Unexpected("the end of a string");
    const char c = text_[at_];
    if (c == '"') break;
    if (IsPlain(c)) continue;
    if (!(c == '\\' ? AppendEscape() : AppendMultibyte())) return false;
  }
  ++at_;
  bytes = scratch_;
  return true;
}

bool JsonReader::AppendMultibyte() {
  while (text_.size() - at_ < kMaxUtf8Bytes && More()) continue;
  const Utf8Character character = DecodeUtf8(text_.substr(at_));
  // Control characters, and bytes that are no UTF-8.
  if (static_cast<unsigned char>(text_[at_]) < 0x80 || character.size == 0) {
    return Unexpected("a character of a string, or an escape,");
  }
  scratch_ += text_.substr(at_, character.size);
  at_ += character.size;
  return true;
}

bool JsonReader::AppendEscape() {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
  while (text_.size() - at_ < 2 && More()) continue;
  if (text_.size() - at_ < 2) return ++at_, Unexpected("an escape");
  const char letter = text_[at_ + 1];
  if (letter == 'u') return AppendUnicode();
  const size_t found = kLetters.find(letter);
  if (found == std::string_view::npos) return ++at_, Unexpected("an escape");
  scratch_ += kMeant[found];
  at_ += 2;
  return true;
}

// "\u" and four digits.
bool JsonReader::ReadUnit(uint32_t& unit) {
  constexpr size_t kEscapeBytes = 6;
  while (text_.size() - at_ < kEscapeBytes && More()) continue;
  if (!text_.substr(at_).starts_with("\\u")) return Unexpected("\\u");
  at_ += 2;
  unit = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const int digit = at_ < text_.size() ? HexDigit(text_[at_]) : -1;
    if (digit < 0) return Unexpected("a hexadecimal digit");
    unit = unit << 4 | static_cast<uint32_t>(digit);
  }
  return true;
}

bool JsonReader::AppendUnicode() {
  uint32_t code = 0;
  if (!ReadUnit(code)) return false;
  if (code >= 0xdc80 && code <= 0xdcff) {
    scratch_ += static_cast<char>(code - 0xdc00);
    return true;
  }
  if (code >= 0xdc00 && code <= 0xdfff) {
    return Fail(fmt::format("\\u{:04x} alone means no character and no byte", code));
  }
  if (code >= 0xd800 && code <= 0xdbff) {
    uint32_t low = 0;
    if (!ReadUnit(low)) return false;
    if (low < 0xdc00 || low > 0xdfff) {
      return Fail(fmt::format("\\u{:04x} is half a character, and \\u{:04x} is not the other half",
                              code, low));
    }
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  AppendUtf8(code, scratch_);
  return true;
}

bool JsonReader::BeginBase64() {
  if (!SkipBlanks()) return false;
  value_at_ = at_;
  if (Current() != '"') return Unexpected("a string of base64");
  ++at_;
  base64_ = Base64Decoder();
  base64_ended_ = false;
  return true;
}

bool JsonReader::DecodeBase64(std::string_view text, std::span<std::byte> out, size_t& size) {
  size = base64_.Decode(text, out);
  if (size != Base64Decoder::kBadText) return true;
  const char found = text[base64_.position()];
  return Fail(fmt::format("{} where base64 is expected", Shown(found)));
}

bool JsonReader::ReadBase64Escape(std::span<std::byte> out, size_t& size) {
  scratch_.clear();
  return AppendEscape() && DecodeBase64(scratch_, out, size);
}

bool JsonReader::ReadBase64(std::span<std::byte> out, size_t& size) {
  size = 0;
  while (!base64_ended_ && size == 0) {
    if (AtEnd()) return Unexpected("the end of a string");
    const std::string_view rest = text_.substr(at_);
    if (const size_t lines = base64_.DecodeJsonLines(rest, out); lines > 0) {
      at_ += lines * kBase64JsonLineChars;
      size = lines * kBase64LineBytes;
    } else if (rest[0] == '"') {
      if (!base64_.AtEnd()) return Fail("base64 that ends in the middle of a group of four");
      ++at_;
      base64_ended_ = true;
    } else if (rest[0] == '\\') {
      if (!ReadBase64Escape(out, size)) return false;
    } else {
      // A line, so that the next one may be read as a whole again.
      const std::string_view run = rest.substr(0, std::min(rest.size(), kBase64LineChars));
      const size_t plain = std::max<size_t>(PlainSize(run), 1);
      if (!DecodeBase64(run.substr(0, plain), out, size)) return false;
      at_ += plain;
    }
  }
  return true;
}

}  // namespace ckpt
