// JSON syntax, written straight into an output stream: commas, indents, escapes. What is written
// is ASCII whatever the input.
#ifndef FORMATS_JSON_TEXT_H_
#define FORMATS_JSON_TEXT_H_

#include <charconv>
#include <concepts>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "base/byte_reader.h"

namespace ckpt {

enum class JsonStyle {
  kPlain,   // one line
  kPretty,  // four spaces a level
};

// Calls must form a JSON value: that is the caller's job and not checked. Nothing is certain to
// have reached the stream before Flush(); the destructor does not flush. Holds a constant amount
// of memory.
class JsonText {
 public:
  JsonText(std::ostream& out, JsonStyle style) : out_(out), style_(style) {}
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  void BeginObject() { Begin('{'); }
  void EndObject() { End(); }
  void BeginArray() { Begin('['); }
  void EndArray() { End(); }

  // The name of the next value in an object: `ascii` needs no escapes.
  void Key(std::string_view ascii);

  // The same for a name of any bytes, escaped as String() does.
  void StringKey(std::string_view bytes);

  template <std::integral T>
  void Number(T value) {
    BeforeItem();
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    buffer_.append(digits, end);
    AfterItem();
  }
  void Bool(bool value);
  void Null();

  // A string that needs no escapes: printable ASCII without quotes and backslashes.
  void Name(std::string_view ascii);

  // Any bytes as a JSON string. UTF-8 becomes the characters it means, as \u escapes; a byte that
  // is no part of valid UTF-8 becomes a lone low surrogate, \udc80 for 0x80 to \udcff for 0xff, as
  // Python's surrogateescape has it. Valid UTF-8 never yields one, so the bytes can be had back.
  void String(std::string_view bytes);

  // Base64 in lines of 76 characters, each followed by a line end, also the last.
  void Base64(Bytes bytes);

  // Base64 in pieces: all but the last of a multiple of kBase64LineBytes.
  void BeginBase64();
  void AddBase64(Bytes bytes);
  void EndBase64();

  // How many objects and arrays are open; CloseTo() ends those beyond `depth`, so that what was
  // begun before an error is JSON all the same. A key without its value gets null.
  size_t depth() const { return open_.size(); }
  void CloseTo(size_t depth);

  // A line end between documents.
  void EndDocument();

  void Flush();

  // The stream takes no more: whoever produces values may stop.
  bool stopped() const { return !out_; }

 private:
  void Begin(char bracket);
  void End();
  void BeforeItem();
  void AfterItem();
  void NewLine();
  void FlushIfLarge();
  void AppendQuoted(std::string_view bytes);
  void AppendEscapedAscii(char c);

  std::ostream& out_;
  JsonStyle style_;
  std::string buffer_;
  std::string open_;  // the brackets
  bool after_key_ = false;
  bool needs_comma_ = false;
};

}  // namespace ckpt

#endif  // FORMATS_JSON_TEXT_H_
