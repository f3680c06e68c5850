#include "formats/json_template.h"

#include <emmintrin.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "formats/field_number.h"

namespace ckpt {
namespace {

// Messages inside one another, beyond which there is no text ready.
constexpr size_t kMaxDepth = 8;
// Values of names, flags and devices that have their text ready.
constexpr uint64_t kSmallValues = 32;
// Keys are copied by so many characters at once. No number is longer.
constexpr size_t kStep = 32;

std::string Indent(JsonStyle layout, size_t depth) {
  return layout == JsonStyle::kPlain ? std::string() : '\n' + std::string(4 * depth, ' ');
}

uint64_t TagOf(const JsonFieldSchema& field) {
  return uint64_t{field.number} << 3 | static_cast<uint64_t>(field.wire_type());
}

// Reads and writes up to kStep more.
char* CopySteps(const char* text, size_t size, char* at) {
  for (size_t done = 0; done < size; done += kStep) std::memcpy(at + done, text + done, kStep);
  return at + size;
}

template <typename T>
char* WriteNumber(T value, char* at) {
  return std::to_chars(at, at + kStep, value).ptr;
}

char* WriteHex(uint64_t value, char* at) {
  at = std::ranges::copy(std::string_view("\"0x"), at).out;
  at = std::to_chars(at, at + kStep, value, 16).ptr;
  *at = '"';
  return at + 1;
}

bool NeedsNoEscape(char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; }

bool NeedNoEscapes(__m128i text) {
  // As signed bytes, what is beyond ASCII is less than a blank.
  const __m128i low = _mm_cmplt_epi8(text, _mm_set1_epi8(' '));
  const __m128i del = _mm_cmpeq_epi8(text, _mm_set1_epi8(0x7f));
  const __m128i quote = _mm_cmpeq_epi8(text, _mm_set1_epi8('"'));
  const __m128i slash = _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'));
  return _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, del), _mm_or_si128(quote, slash))) == 0;
}

// With its quotes.
char* WriteText(std::string_view text, char* at, const char* end) {
  if (static_cast<size_t>(end - at) < text.size() + 2) return nullptr;
  *at++ = '"';
  while (text.size() >= sizeof(__m128i)) {
    const __m128i piece = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(text.data()));
    if (!NeedNoEscapes(piece)) return nullptr;
    _mm_storeu_si128(reinterpret_cast<__m128i_u*>(at), piece);
    at += sizeof piece;
    text.remove_prefix(sizeof piece);
  }
  if (!std::ranges::all_of(text, NeedsNoEscape)) return nullptr;
  at = std::ranges::copy(text, at).out;
  *at = '"';
  return at + 1;
}

}  // namespace

JsonTemplate::JsonTemplate(const JsonMessageSchema& schema, JsonStyle spelling, JsonStyle layout,
                           size_t depth)
    : schema_(schema),
      spelling_(spelling),
      layout_(layout),
      depth_(depth),
      comma_size_(layout == JsonStyle::kPlain ? 2 : 1),
      close_(Indent(layout, depth - 1)) {
  for (const JsonFieldSchema& field : schema.fields) fields_.push_back(MakeField(field, depth));
}

JsonTemplate::Field JsonTemplate::MakeField(const JsonFieldSchema& schema, size_t depth) const {
  Field field;
  field.schema = &schema;
  field.tag = TagOf(schema);
  field.key = (layout_ == JsonStyle::kPlain ? ", " : ",") + Indent(layout_, depth) + schema.key;
  field.key_size = field.key.size();
  // For the last step of copying it, and for a number behind it.
  field.key.resize(field.key_size + 2 * kStep);
  if (!schema.repeated) SetForm(schema, field);
  return field;
}

void JsonTemplate::SetForm(const JsonFieldSchema& schema, Field& field) const {
  const bool pretty = spelling_ == JsonStyle::kPretty;
  const bool natural = schema.spelling == Spelling::kNatural || !pretty;
  const bool wide = schema.kind == FieldKind::kUint64;
  switch (schema.kind) {
    case FieldKind::kUint32:
    case FieldKind::kUint64:
      field.most =
          wide ? std::numeric_limits<uint64_t>::max() : std::numeric_limits<uint32_t>::max();
      field.form = natural                             ? Form::kUnsigned
                   : schema.spelling == Spelling::kHex ? Form::kHex
                                                       : Form::kTable;
      break;
    case FieldKind::kInt32:
    case FieldKind::kInt64:
    case FieldKind::kSint32:
    case FieldKind::kSint64:
      field.form = natural ? Form::kSigned : Form::kTable;
      break;
    case FieldKind::kBool:
    case FieldKind::kEnum:
      field.form = Form::kTable;
      break;
    case FieldKind::kString:
      if (schema.spelling != Spelling::kUnixName) field.form = Form::kText;
      break;
    case FieldKind::kMessage:
      // A message may hold itself.
      if (depth_ >= kMaxDepth) break;
      field.form = Form::kMessage;
      field.message =
          std::make_unique<JsonTemplate>(*schema.message, spelling_, layout_, depth_ + 1);
      break;
    default:
      break;
  }
  if (field.form != Form::kTable) return;
  for (uint64_t value = 0; value < kSmallValues; ++value) {
    field.small.push_back(NumberText(schema, value));
  }
}

// As it stands in JSON.
std::string JsonTemplate::NumberText(const JsonFieldSchema& schema, uint64_t wire) const {
  if (schema.kind == FieldKind::kBool) return wire != 0 ? "true" : "false";
  const uint64_t number = MeantNumber(schema.kind, wire);
  if (const auto text = SpellNumber(schema, spelling_, number)) return '"' + *text + '"';
  return IsUnsigned(schema.kind) ? std::to_string(number)
                                 : std::to_string(static_cast<int64_t>(number));
}

const JsonTemplate::Field* JsonTemplate::FindField(uint64_t tag) const {
  const JsonFieldSchema* field = schema_.Find(tag >> 3);
  if (field == nullptr) return nullptr;
  const Field& found = fields_[field->index];
  return found.tag == tag ? &found : nullptr;
}

char* JsonTemplate::WriteMembers(Bytes message, char* at, char* end) const {
  WireCursor cursor(message);
  uint64_t seen = 0;
  uint32_t last = 0;
  while (!cursor.AtEnd()) {
    uint64_t tag = 0;
    if (!cursor.ReadVarint(tag)) return nullptr;
    const Field* field = FindField(tag);
    if (field == nullptr || field->schema->number <= last) return nullptr;
    last = field->schema->number;
    if (static_cast<size_t>(end - at) < field->key.size()) return nullptr;
    const size_t skipped = seen == 0 ? comma_size_ : 0;
    at = CopySteps(field->key.data() + skipped, field->key_size - skipped, at);
    seen |= uint64_t{1} << field->schema->index;
    at = WriteValue(*field, cursor, at, end);
    if (at == nullptr) return nullptr;
  }
  const bool sound = (seen & schema_.required) == schema_.required;
  return sound && !cursor.saw_padded_varint() ? at : nullptr;
}

// Numbers have room behind their key.
char* JsonTemplate::WriteValue(const Field& field, WireCursor& cursor, char* at, char* end) const {
  uint64_t value = 0;
  Bytes bytes;
  switch (field.form) {
    case Form::kUnsigned:
      if (!cursor.ReadVarint(value) || value > field.most) return nullptr;
      return WriteNumber(value, at);
    case Form::kHex:
      if (!cursor.ReadVarint(value) || value > field.most) return nullptr;
      return WriteHex(value, at);
    case Form::kSigned:
      if (!cursor.ReadVarint(value) || !FitsKind(field.schema->kind, value)) return nullptr;
      return WriteNumber(static_cast<int64_t>(MeantNumber(field.schema->kind, value)), at);
    case Form::kTable:
      if (!cursor.ReadVarint(value)) return nullptr;
      return WriteTable(field, value, at, end);
    case Form::kText:
      if (!cursor.ReadLengthDelimited(bytes)) return nullptr;
      return WriteText(AsText(bytes), at, end);
    case Form::kMessage:
      if (!cursor.ReadLengthDelimited(bytes)) return nullptr;
      return WriteObject(field, bytes, at, end);
    case Form::kOther:
      return nullptr;
  }
  return nullptr;
}

char* JsonTemplate::WriteTable(const Field& field, uint64_t value, char* at, char* end) const {
  if (!FitsKind(field.schema->kind, value)) return nullptr;
  const std::string other = value < kSmallValues ? std::string() : NumberText(*field.schema, value);
  const std::string& text = value < kSmallValues ? field.small[value] : other;
  if (static_cast<size_t>(end - at) < text.size()) return nullptr;
  return std::ranges::copy(text, at).out;
}

char* JsonTemplate::WriteObject(const Field& field, Bytes message, char* at, char* end) {
  *at++ = '{';
  char* const begin = at;
  at = field.message->WriteMembers(message, at, end);
  if (at == nullptr) return nullptr;
  const std::string& close = field.message->close_;
  if (static_cast<size_t>(end - at) < close.size() + 1) return nullptr;
  if (at != begin) at = std::ranges::copy(close, at).out;
  *at = '}';
  return at + 1;
}

}  // namespace ckpt
