// JSON read from front to back, value by value, by whoever knows what has to come: no tree is
// built, and what is held is one string. A library's parser would not do: strings may be of any
// length, and lone surrogates stand for bytes (json_text.h).
#ifndef FORMATS_JSON_READER_H_
#define FORMATS_JSON_READER_H_

#include <cstddef>
#include <cstdint>
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

  // Fails at the value that was read last: "text". Always false.
  bool Fail(std::string text);
  bool failed() const { return failed_; }

  // While a failure is passed on: the step that led to it, ".name" or "[3]".
  void PrependPath(std::string_view step) { path_.insert(0, step); }
  // "name: line 3, column 14: entries[3].reg.pos: text"
  Error TakeError();

 private:
  static constexpr size_t kMostDigits = 20;

  char Current() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool AtEnd() { return at_ == text_.size() && !More(); }
  // Makes more text visible from `at_` on. False at the end, or when reading failed.
  bool More();
  bool SkipBlanks();
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
