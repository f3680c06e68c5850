// JSON syntax, written straight into an output stream: commas, indents, escapes. What is written
// is ASCII whatever the input.
#ifndef FORMATS_JSON_TEXT_H_
#define FORMATS_JSON_TEXT_H_

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
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
  JsonText(std::ostream& out, JsonStyle style);
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  // As if `open` objects and arrays ("{[") had been begun elsewhere, and `needs_comma` said whether
  // the innermost one has an item already: for a part of a text that several write.
  void Resume(std::string_view open, bool needs_comma);

  void BeginObject() { Begin('{'); }
  void EndObject() { End(); }
  void BeginArray() { Begin('['); }

  // An object whose members `write(at, end)` puts between two pointers: it gives their end, or null
  // where it cannot, and then nothing of the object is written and false is given.
  template <typename Write>
  bool Object(Write write) {
    char* const begin = Room(kObjectRoom);
    const bool needs_comma = needs_comma_;
    const bool after_key = after_key_;
    BeginObject();
    char* const written = write(at_, end_);
    if (written == nullptr) {
      at_ = begin;
      open_.pop_back();
      needs_comma_ = needs_comma;
      after_key_ = after_key;
      return false;
    }
    needs_comma_ = written != at_;
    at_ = written;
    EndObject();
    return true;
  }
  void EndArray() { End(); }

  // The name of the next value in an object: `ascii` needs no escapes.
  void Key(std::string_view ascii);

  // The same where the caller has it with its quotes, colon and blank already.
  void RenderedKey(std::string_view rendered) {
    BeforeItem();
    Append(rendered);
    after_key_ = true;
  }

  // The same for a name of any bytes, escaped as String() does.
  void StringKey(std::string_view bytes);

  template <std::integral T>
  void Number(T value) {
    BeforeItem();
    char* const at = Room(kMaxDigits);
    at_ = std::to_chars(at, at + kMaxDigits, value).ptr;
    needs_comma_ = true;
  }
  // As "0x1f".
  void HexNumber(uint64_t value);
  void Bool(bool value);
  void Null();

  // A string that needs no escapes: printable ASCII without quotes and backslashes.
  void Name(std::string_view ascii) {
    BeforeItem();
    Append('"');
    Append(ascii);
    Append('"');
    needs_comma_ = true;
  }

  // Any bytes as a JSON string. UTF-8 becomes the characters it means, as \u escapes; a byte that
  // is no part of valid UTF-8 becomes a lone low surrogate, \udc80 for 0x80 to \udcff for 0xff, as
  // Python's surrogateescape has it. Valid UTF-8 never yields one, so the bytes can be had back.
  void String(std::string_view bytes);

  // Base64 in lines of 76 characters, each followed by a line end, also the last.
  void Base64(Bytes bytes);

  // Base64 in pieces, each but the last of a multiple of kBase64LineBytes.
  void BeginBase64();
  void AddBase64(Bytes bytes);
  void EndBase64();

  // How many objects and arrays are open; CloseTo() ends those beyond `depth`, so that what was
  // begun before an error is JSON all the same. A key without its value gets null.
  size_t depth() const { return open_.size(); }
  void CloseTo(size_t depth);

  JsonStyle style() const { return style_; }
  // The brackets of what is open, outermost first, for Resume().
  const std::string& open() const { return open_; }
  // Appends items that another writer, which was told to resume from here, has made.
  void Splice(std::string_view items);

  // A line end between documents.
  void EndDocument();

  void Flush();

  // The stream takes no more: whoever produces values may stop.
  bool stopped() const { return !out_; }

 private:
  static constexpr size_t kMaxDigits = 24;
  // What may stand before the members of an object, and most of what a short one has.
  static constexpr size_t kObjectRoom = size_t{8} << 10;

  void Begin(char bracket) {
    BeforeItem();
    Append(bracket);
    open_ += bracket;
    needs_comma_ = false;
  }
  void End();

  void BeforeItem() {
    if (after_key_) {
      after_key_ = false;
    } else {
      Separate();
    }
  }
  void Separate() {
    if (style_ == JsonStyle::kPlain) {
      if (needs_comma_) Append(", ");
    } else {
      if (needs_comma_) Append(',');
      if (!open_.empty()) NewLine();
    }
  }
  void NewLine();

  // Where `size` more characters fit.
  char* Room(size_t size) {
    if (static_cast<size_t>(end_ - at_) < size) MakeRoom(size);
    return at_;
  }
  void MakeRoom(size_t size);
  void Append(char c) { *Room(1) = c, ++at_; }
  void Append(std::string_view text) {
    if (static_cast<size_t>(end_ - at_) < text.size()) return AppendInPieces(text);
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void AppendInPieces(std::string_view text);
  void AppendQuoted(std::string_view bytes);
  void AppendEscapedAscii(char c);
  void AppendUnit(uint32_t unit);
  void AppendCharacter(uint32_t code);
  void WriteOut();

  std::ostream& out_;
  JsonStyle style_;
  std::unique_ptr<char[]> buffer_;
  char* at_;          // of the next character
  char* end_;         // of the buffer
  std::string open_;  // the brackets
  bool after_key_ = false;
  bool needs_comma_ = false;
};

}  // namespace ckpt

#endif  // FORMATS_JSON_TEXT_H_
