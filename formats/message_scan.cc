#include "formats/message_scan.h"

#include <string_view>

#include "formats/field_number.h"
#include "formats/spelling.h"
#include "formats/spelling_reader.h"
#include "formats/wire_cursor.h"

namespace ckpt {
namespace {

// What protobuf's own parsers allow.
constexpr int kMaxDepth = 100;

class Scanner {
 public:
  explicit Scanner(MessageScan& scan) : scan_(scan) {}

  // False: not sound.
  bool Scan(const JsonMessageSchema& schema, Bytes message, int depth) {
    if (depth > kMaxDepth) return false;
    WireCursor cursor(message);
    uint64_t seen = 0;
    uint32_t last = 0;
    while (!cursor.AtEnd()) {
      uint64_t tag = 0;
      if (!cursor.ReadVarint(tag)) return false;
      const JsonFieldSchema* field = schema.Find(tag >> 3);
      if (field == nullptr || !field->Accepts(static_cast<WireType>(tag & 7))) {
        if (!Skip(cursor, tag)) return false;
        continue;
      }
      const uint64_t bit = uint64_t{1} << field->index;
      if ((seen & bit) != 0 && !Repeat(*field, static_cast<WireType>(tag & 7))) return false;
      if (field->number < last) Mark(Inexact::kOrder, /*ordered=*/false);
      seen |= bit;
      last = field->number;
      if (!Value(*field, static_cast<WireType>(tag & 7), cursor, depth)) return false;
    }
    if (cursor.saw_padded_varint()) Mark(Inexact::kNumbers);
    return (seen & schema.required) == schema.required;
  }

 private:
  void Mark(Inexact cause, bool ordered = true) {
    scan_.inexact |= static_cast<uint8_t>(cause);
    scan_.ordered = scan_.ordered && ordered;
  }

  // A field that was there before.
  bool Repeat(const JsonFieldSchema& field, WireType type) {
    if (field.repeated) {
      if (field.packable() && type == WireType::kLengthDelimited) Mark(Inexact::kPacking);
      return true;
    }
    Mark(Inexact::kTwice, /*ordered=*/false);
    // Parts of one message have the required fields together: that is for protobuf to merge.
    return field.kind != FieldKind::kMessage;
  }

  bool Skip(WireCursor& cursor, uint64_t tag) {
    constexpr uint64_t kMaxFieldNumber = (1u << 29) - 1;
    if (tag >> 3 == 0 || tag >> 3 > kMaxFieldNumber) return false;
    ++scan_.unknown_fields;
    Mark(Inexact::kUnknownFields);
    uint64_t word = 0;
    Bytes bytes;
    switch (tag & 7) {
      case 0:
        return cursor.ReadVarint(word);
      case 1:
        return cursor.ReadFixed64(word);
      case 2:
        return cursor.ReadLengthDelimited(bytes);
      case 5:
        return cursor.ReadFixed32(word);
      default:
        return false;
    }
  }

  bool Value(const JsonFieldSchema& field, WireType type, WireCursor& cursor, int depth) {
    uint64_t word = 0;
    if (type == WireType::kVarint) {
      if (field.packed) Mark(Inexact::kPacking);
      if (!cursor.ReadVarint(word)) return false;
      if (!FitsKind(field.kind, word)) Mark(Inexact::kNumbers);
      return true;
    }
    if (type == WireType::kFixed64) {
      if (field.packed) Mark(Inexact::kPacking);
      return cursor.ReadFixed64(word);
    }
    Bytes bytes;
    if (!cursor.ReadLengthDelimited(bytes)) return false;
    if (field.kind == FieldKind::kMessage) return Scan(*field.message, bytes, depth + 1);
    if (field.packable()) return Packed(field, bytes);
    if (field.spelling == Spelling::kUnixName) CheckName(bytes);
    return true;
  }

  bool Packed(const JsonFieldSchema& field, Bytes bytes) {
    if (!field.packed || bytes.empty()) Mark(Inexact::kPacking);
    WireCursor cursor(bytes);
    while (!cursor.AtEnd()) {
      uint64_t word = 0;
      const bool fixed = field.wire_type() == WireType::kFixed64;
      if (!(fixed ? cursor.ReadFixed64(word) : cursor.ReadVarint(word))) return false;
      if (!FitsKind(field.kind, word)) Mark(Inexact::kNumbers);
    }
    if (cursor.saw_padded_varint()) Mark(Inexact::kNumbers);
    return true;
  }

  void CheckName(Bytes name) {
    if (AsText(name).find('\n') == std::string_view::npos &&
        AsText(name).find('\r') == std::string_view::npos) {
      return;
    }
    if (ReadUnixName(SpellUnixName(name)) != AsText(name)) Mark(Inexact::kText);
  }

  MessageScan& scan_;
};

struct CauseName {
  Inexact cause;
  std::string_view name;
};

constexpr CauseName kCauses[] = {
    {Inexact::kUnknownFields, "unknown fields"},
    {Inexact::kOrder, "order of fields"},
    {Inexact::kTwice, "fields that are there twice"},
    {Inexact::kNumbers, "lengths of numbers"},
    {Inexact::kPacking, "packing"},
    {Inexact::kText, "line ends in a socket name"},
};

}  // namespace

MessageScan ScanMessage(const JsonMessageSchema& schema, Bytes message) {
  MessageScan scan;
  scan.sound = Scanner(scan).Scan(schema, message, 1);
  // If protobuf accepts it all the same, then as parts of one message that it merges.
  if (!scan.sound) scan.inexact |= static_cast<uint8_t>(Inexact::kTwice);
  return scan;
}

std::string DescribeInexact(uint8_t causes) {
  std::string text;
  for (const CauseName& cause : kCauses) {
    if ((causes & static_cast<uint8_t>(cause.cause)) == 0) continue;
    if (!text.empty()) text += ", ";
    text += cause.name;
  }
  return text;
}

}  // namespace ckpt
