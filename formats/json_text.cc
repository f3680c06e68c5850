#include "formats/json_text.h"

#include <algorithm>

#include "base/result.h"
#include "formats/base64.h"
#include "formats/utf8.h"

namespace ckpt {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;

uint32_t Byte(char c) { return static_cast<unsigned char>(c); }

bool NeedsNoEscape(char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; }

}  // namespace

JsonText::JsonText(std::ostream& out, JsonStyle style)
    : out_(out),
      style_(style),
      buffer_(std::make_unique_for_overwrite<char[]>(kBufferBytes)),
      at_(buffer_.get()),
      end_(at_ + kBufferBytes) {}

void JsonText::Resume(std::string_view open, bool needs_comma) {
  open_ = open;
  needs_comma_ = needs_comma;
}

void JsonText::Key(std::string_view ascii) {
  BeforeItem();
  Append('"');
  Append(ascii);
  Append("\": ");
  after_key_ = true;
}

void JsonText::HexNumber(uint64_t value) {
  BeforeItem();
  Append("\"0x");
  char* const at = Room(kMaxDigits);
  at_ = std::to_chars(at, at + kMaxDigits, value, 16).ptr;
  Append('"');
  needs_comma_ = true;
}

void JsonText::Bool(bool value) {
  BeforeItem();
  Append(value ? std::string_view("true") : std::string_view("false"));
  needs_comma_ = true;
}

void JsonText::Null() {
  BeforeItem();
  Append("null");
  needs_comma_ = true;
}

void JsonText::AppendUnit(uint32_t unit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) Append(kDigits[unit >> shift & 15]);
}

void JsonText::AppendCharacter(uint32_t code) {
  if (code < 0x10000) return AppendUnit(code);
  AppendUnit(0xd800 + ((code - 0x10000) >> 10));
  AppendUnit(0xdc00 + ((code - 0x10000) & 0x3ff));
}

void JsonText::AppendEscapedAscii(char c) {
  constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  const size_t found = kEscaped.find(c);
  if (found == std::string_view::npos) return AppendUnit(Byte(c));
  Append('\\');
  Append(kLetters[found]);
}

void JsonText::StringKey(std::string_view bytes) {
  BeforeItem();
  AppendQuoted(bytes);
  Append(": ");
  after_key_ = true;
}

void JsonText::String(std::string_view bytes) {
  BeforeItem();
  AppendQuoted(bytes);
  needs_comma_ = true;
}

void JsonText::AppendQuoted(std::string_view bytes) {
  Append('"');
  while (!bytes.empty()) {
    const auto plain_end = std::ranges::find_if_not(bytes, NeedsNoEscape);
    const auto plain_size = static_cast<size_t>(plain_end - bytes.begin());
    Append(bytes.substr(0, plain_size));
    bytes.remove_prefix(plain_size);
    if (bytes.empty()) break;
    size_t size = 1;
    if (Byte(bytes[0]) < 0x80) {
      AppendEscapedAscii(bytes[0]);
    } else if (const Utf8Character character = DecodeUtf8(bytes); character.size > 0) {
      AppendCharacter(character.code);
      size = character.size;
    } else {
      AppendUnit(0xdc00 + Byte(bytes[0]));
    }
    bytes.remove_prefix(size);
  }
  Append('"');
}

void JsonText::Base64(Bytes bytes) {
  BeginBase64();
  AddBase64(bytes);
  EndBase64();
}

void JsonText::BeginBase64() {
  BeforeItem();
  Append('"');
}

void JsonText::AddBase64(Bytes bytes) {
  constexpr size_t kPieceBytes = kBufferBytes / kBase64JsonLineChars * kBase64LineBytes;
  while (!bytes.empty() && !stopped()) {
    const Bytes piece = bytes.first(std::min(bytes.size(), kPieceBytes));
    at_ = WriteBase64JsonLines(piece, Room(Base64JsonChars(piece.size())));
    bytes = bytes.subspan(piece.size());
  }
}

void JsonText::EndBase64() {
  Append('"');
  needs_comma_ = true;
}

void JsonText::Splice(std::string_view items) {
  if (items.empty()) return;
  WriteOut();
  out_.write(items.data(), static_cast<std::streamsize>(items.size()));
  needs_comma_ = !open_.empty();
}

void JsonText::CloseTo(size_t depth) {
  if (after_key_) Null();
  while (open_.size() > depth) End();
}

void JsonText::EndDocument() {
  Append('\n');
  needs_comma_ = false;
}

void JsonText::Flush() {
  WriteOut();
  out_.flush();
}

void JsonText::End() {
  const char bracket = open_.back();
  open_.pop_back();
  if (needs_comma_) NewLine();
  Append(bracket == '{' ? '}' : ']');
  needs_comma_ = true;
}

void JsonText::NewLine() {
  if (style_ == JsonStyle::kPlain) return;
  Append('\n');
  const size_t indent = 4 * open_.size();
  // Mostly few, which a fixed count of stores does.
  constexpr size_t kUsual = 64;
  char* const at = Room(std::max(indent, kUsual));
  std::memset(at, ' ', kUsual);
  if (indent > kUsual) std::memset(at, ' ', indent);
  at_ = at + indent;
}

void JsonText::MakeRoom(size_t size) {
  CKPT_CHECK(size <= kBufferBytes);
  WriteOut();
}

void JsonText::AppendInPieces(std::string_view text) {
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, kBufferBytes);
    std::memcpy(Room(piece.size()), piece.data(), piece.size());
    at_ += piece.size();
    text.remove_prefix(piece.size());
  }
}

void JsonText::WriteOut() {
  out_.write(buffer_.get(), at_ - buffer_.get());
  at_ = buffer_.get();
}

}  // namespace ckpt
