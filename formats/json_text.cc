#include "formats/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "formats/spelling.h"

namespace ckpt {
namespace {

constexpr size_t kFlushBytes = 64 * 1024;

// One decoded character of UTF-8; size 0 where the bytes are none.
struct Character {
  uint32_t code = 0;
  size_t size = 0;
};

uint32_t Byte(char c) { return static_cast<unsigned char>(c); }

size_t SequenceSize(uint32_t lead) {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

// Overlong forms, surrogates and what lies beyond U+10FFFF.
bool IsForbidden(uint32_t code, size_t size) {
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  return code < kSmallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff);
}

// The character of several bytes at the front of `text`, which is not empty.
Character DecodeMultibyte(std::string_view text) {
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

void AppendUnit(uint32_t unit, std::string& out) {
  fmt::format_to(std::back_inserter(out), "\\u{:04x}", unit);
}

void AppendCharacter(uint32_t code, std::string& out) {
  if (code < 0x10000) return AppendUnit(code, out);
  AppendUnit(0xd800 + ((code - 0x10000) >> 10), out);
  AppendUnit(0xdc00 + ((code - 0x10000) & 0x3ff), out);
}

bool NeedsNoEscape(char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; }

}  // namespace

void JsonText::Key(std::string_view ascii) {
  BeforeItem();
  buffer_ += '"';
  buffer_ += ascii;
  buffer_ += "\": ";
  after_key_ = true;
}

void JsonText::Bool(bool value) {
  BeforeItem();
  buffer_ += value ? "true" : "false";
  AfterItem();
}

void JsonText::Null() {
  BeforeItem();
  buffer_ += "null";
  AfterItem();
}

void JsonText::Name(std::string_view ascii) {
  BeforeItem();
  buffer_ += '"';
  buffer_ += ascii;
  buffer_ += '"';
  AfterItem();
}

void JsonText::AppendEscapedAscii(char c) {
  constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  const size_t found = kEscaped.find(c);
  if (found == std::string_view::npos) return AppendUnit(Byte(c), buffer_);
  buffer_ += '\\';
  buffer_ += kLetters[found];
}

void JsonText::StringKey(std::string_view bytes) {
  BeforeItem();
  AppendQuoted(bytes);
  buffer_ += ": ";
  after_key_ = true;
}

void JsonText::String(std::string_view bytes) {
  BeforeItem();
  AppendQuoted(bytes);
  AfterItem();
}

void JsonText::AppendQuoted(std::string_view bytes) {
  buffer_ += '"';
  while (!bytes.empty()) {
    const auto plain_end = std::ranges::find_if_not(bytes, NeedsNoEscape);
    const auto plain_size = static_cast<size_t>(plain_end - bytes.begin());
    buffer_ += bytes.substr(0, plain_size);
    bytes.remove_prefix(plain_size);
    if (bytes.empty()) break;
    size_t size = 1;
    if (Byte(bytes[0]) < 0x80) {
      AppendEscapedAscii(bytes[0]);
    } else if (const Character character = DecodeMultibyte(bytes); character.size > 0) {
      AppendCharacter(character.code, buffer_);
      size = character.size;
    } else {
      AppendUnit(0xdc00 + Byte(bytes[0]), buffer_);
    }
    bytes.remove_prefix(size);
    FlushIfLarge();
  }
  buffer_ += '"';
}

void JsonText::Base64(Bytes bytes) {
  BeginBase64();
  AddBase64(bytes);
  EndBase64();
}

void JsonText::BeginBase64() {
  BeforeItem();
  buffer_ += '"';
}

void JsonText::AddBase64(Bytes bytes) {
  while (!bytes.empty() && !stopped()) {
    const size_t size = std::min(bytes.size(), kBase64LineBytes);
    AppendBase64Line(bytes.first(size), buffer_);
    buffer_ += "\\n";
    bytes = bytes.subspan(size);
    FlushIfLarge();
  }
}

void JsonText::EndBase64() {
  buffer_ += '"';
  AfterItem();
}

void JsonText::CloseTo(size_t depth) {
  if (after_key_) Null();
  while (open_.size() > depth) End();
}

void JsonText::EndDocument() {
  buffer_ += '\n';
  needs_comma_ = false;
}

void JsonText::Flush() {
  out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  buffer_.clear();
  out_.flush();
}

void JsonText::Begin(char bracket) {
  BeforeItem();
  buffer_ += bracket;
  open_ += bracket;
  needs_comma_ = false;
}

void JsonText::End() {
  const char bracket = open_.back();
  open_.pop_back();
  if (needs_comma_) NewLine();
  buffer_ += bracket == '{' ? '}' : ']';
  AfterItem();
}

void JsonText::BeforeItem() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (needs_comma_) buffer_ += style_ == JsonStyle::kPlain ? ", " : ",";
  if (!open_.empty()) NewLine();
}

void JsonText::AfterItem() {
  needs_comma_ = true;
  FlushIfLarge();
}

void JsonText::NewLine() {
  if (style_ == JsonStyle::kPlain) return;
  buffer_ += '\n';
  buffer_.append(4 * open_.size(), ' ');
}

void JsonText::FlushIfLarge() {
  if (buffer_.size() < kFlushBytes) return;
  out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  buffer_.clear();
}

}  // namespace ckpt
