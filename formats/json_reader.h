// JSON read from front to back, value by value, by whoever knows what has to come: no tree is
// built, and what is held is one string. A library's parser would not do: strings may be of any
// length, and lone surrogates stand for bytes (json_text.h).
#ifndef FORMATS_JSON_READER_H_
#define FORMATS_JSON_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "formats/base64.h"
#include "formats/byte_source.h"

namespace ckpt {

enum class JsonKind { kObject, kArray, kString, kNumber, kBool, kNull, kEnd };

// What stands before the next member or element.
enum class JsonStep { kItem, kEnd, kFailed };

// Calls that fail give false, or JsonStep::kFailed, and nothing may be read any more; error() then
// tells why and where. Texts are views that hold until the next call.
class JsonReader {
 public:
  // `name` is for errors. `source` must outlive it.
  JsonReader(std::string name, ByteSource& source) : name_(std::move(name)), window_(source) {}

  // What comes next; kEnd at the end of the text.
  bool Peek(JsonKind& kind);

  bool BeginObject() { return Expect('{', "an object"); }
  bool BeginArray() { return Expect('[', "an array"); }
  // With kItem the key was read, and its value comes next. `first` is true before the first member.
  JsonStep NextMember(bool first, std::string_view& key);
  JsonStep NextElement(bool first);

  // A whole number; what has a fraction or does not fit into 64 bits and a sign is refused.
  bool ReadInteger(uint64_t& magnitude, bool& negative);
  bool ReadBool(bool& value);
  // The bytes of a string: \udc80 to \udcff are the bytes 0x80 to 0xff.
  bool ReadString(std::string_view& bytes);

  // A string of base64 in pieces: BeginBase64(), then ReadBase64() until it gives 0 bytes. `out`
  // has room for at least kLeastBase64Bytes.
  static constexpr size_t kLeastBase64Bytes = 4096;
  bool BeginBase64();
  bool ReadBase64(std::span<std::byte> out, size_t& size);

  // Shortcuts for text as decode writes it. Each takes what it finds, or finds nothing and leaves
  // the text to the calls above. The comma, unless `first`, and `key`, with its quotes, colon and
  // blank, which come next.
  bool TakeKey(bool first, std::string_view key) {
    size_t at = at_;
    if (!first && (at == text_.size() || text_[at++] != ',')) return false;
    while (at < text_.size() && (text_[at] == ' ' || text_[at] == '\n')) ++at;
    if (text_.size() - at < key.size() || !IsSame(text_.data() + at, key)) return false;
    at_ = at + key.size();
    return true;
  }
  // A number without a sign of at most 18 digits that is followed by a comma or a brace.
  bool TakeNumber(uint64_t& number) {
    constexpr size_t kSafeDigits = 18;
    if (text_.size() - at_ <= kSafeDigits) return false;
    uint64_t value = 0;
    size_t at = at_;
    if (uint64_t digits = 0; TakeEightDigits(at, digits)) {
      value = digits;
      at += 8;
    }
    for (; static_cast<unsigned char>(text_[at] - '0') < 10; ++at) {
      if (at - at_ == kSafeDigits) return false;
      value = value * 10 + static_cast<uint64_t>(text_[at] - '0');
    }
    const bool leading_zero = text_[at_] == '0' && at - at_ > 1;
    if (at == at_ || leading_zero || (text_[at] != ',' && text_[at] != '}')) return false;
    value_at_ = at_;
    at_ = at;
    number = value;
    return true;
  }
  // The brace that begins or ends an object.
  bool TakeBrace(char brace) {
    if (at_ == text_.size() || text_[at_] != brace) return false;
    value_at_ = at_;
    ++at_;
    return true;
  }

  // For parts of the text that other readers read. The text from here on, as much of it as is held
  // at once; what was visible before is not any more. Empty at the end, and after a failure.
  std::string_view LookAhead();
  // A place in the text that it may go back to.
  struct Position {
    uint64_t offset = 0;
    uint64_t lines = 0;  // ended before it
    uint64_t line_start = 0;
  };
  // Passes over so much of what LookAhead() gave; gives where that began.
  Position PassOver(size_t size);
  // Back to where PassOver() began, with all text that was passed over since.
  void GoBack(const Position& position, std::string_view text);
  // Whether nothing but blanks is left.
  bool AtTextEnd() { return SkipBlanks() && AtEnd(); }

  // Fails at the value that was read last: "text". Always false.
  bool Fail(std::string text);
  // The start of a text as an error may show it: printable, in quotes.
  static std::string Quoted(std::string_view text);

  // While a failure is passed on: the step that led to it, ".name" or "[3]".
  void PrependPath(std::string_view step) { path_.insert(0, step); }
  // "name: line 3, column 14: entries[3].reg.pos: text"
  Error TakeError();

 private:
  static constexpr size_t kMostDigits = 20;

  // As many characters as `key` has, at least 4, without a call for those of usual length.
  static bool IsSame(const char* text, std::string_view key) {
    if (key.size() > 16) return std::memcmp(text, key.data(), key.size()) == 0;
    return key.size() >= 8 ? HasSameEnds<uint64_t>(text, key) : HasSameEnds<uint32_t>(text, key);
  }
  // A word at each end, which overlap or meet.
  template <typename Word>
  static bool HasSameEnds(const char* text, std::string_view key) {
    return IsSameWord<Word>(text, key, 0) && IsSameWord<Word>(text, key, key.size() - sizeof(Word));
  }
  template <typename Word>
  static bool IsSameWord(const char* text, std::string_view key, size_t at) {
    Word found;
    Word wanted;
    std::memcpy(&found, text + at, sizeof found);
    std::memcpy(&wanted, key.data() + at, sizeof wanted);
    return found == wanted;
  }

  // The number that eight digits at `at` mean, if eight characters are there and all are digits.
  bool TakeEightDigits(size_t at, uint64_t& number) const {
    uint64_t word = 0;
    if (text_.size() - at < sizeof word) return false;
    std::memcpy(&word, text_.data() + at, sizeof word);
    // A digit has 3 in its upper half, also with 6 added.
    constexpr uint64_t kUpper = 0xf0f0f0f0f0f0f0f0;
    constexpr uint64_t kThrees = 0x3030303030303030;
    if ((word & kUpper) != kThrees || ((word + 0x0606060606060606) & kUpper) != kThrees) {
      return false;
    }
    // Pairs, then fours, then all: the first digit is in the lowest byte.
    word -= kThrees;
    word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ff;
    word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffff;
    number = (word * 10000 + (word >> 32)) & 0xffffffff;
    return true;
  }

  char Current() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool AtEnd() { return at_ == text_.size() && !More(); }
  // Makes more text visible from `at_` on. False at the end, or when reading failed.
  bool More();
  bool Show(size_t size);
  // False when reading failed.
  bool SkipBlanks() {
    if (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) > ' ') return true;
    return SkipSomeBlanks();
  }
  bool SkipSomeBlanks();
  void CountLines();
  bool Expect(char bracket, std::string_view what);
  bool ExpectWord(std::string_view word);
  bool Unexpected(std::string_view wanted);
  bool ReadLongString(std::string_view& bytes);
  bool AppendMultibyte();
  bool AppendEscape();
  bool AppendUnicode();
  bool ReadUnit(uint32_t& unit);
  bool ReadBase64Escape(std::span<std::byte> out, size_t& size);
  bool DecodeBase64(std::string_view text, std::span<std::byte> out, size_t& size);

  std::string name_;
  ByteWindow window_;
  std::string_view text_;  // what is visible
  size_t at_ = 0;
  size_t value_at_ = 0;  // where the value begins that errors are about
  uint64_t lines_ = 0;   // ended before what is visible
  uint64_t line_start_ = 0;
  std::string scratch_;
  std::string key_;
  Base64Decoder base64_;
  bool base64_ended_ = true;
  bool failed_ = false;
  std::string path_;
  Error error_;
  uint64_t error_line_ = 0;
  uint64_t error_column_ = 0;
};

}  // namespace ckpt

#endif  // FORMATS_JSON_READER_H_
