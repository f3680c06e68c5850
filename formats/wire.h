// Protobuf messages as bytes: walking their fields, and editing one field without re-encoding
// anything else, so that unknown fields, order and packing stay as they were.
// Source of the encoding: https://protobuf.dev/programming-guides/encoding/
#ifndef FORMATS_WIRE_H_
#define FORMATS_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

// Groups (3 and 4) do not occur in the format and are refused.
enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

struct WireField {
  uint32_t number;
  WireType type;
  Bytes whole;    // with its tag; a view into the message
  Bytes value;    // without tag and length; of a varint its encoded bytes
  uint64_t word;  // the number of a varint or fixed field, else 0
};

// The fields of a message in turn. Offsets in its errors are within the message.
class WireReader {
 public:
  explicit WireReader(Bytes message) : reader_(message), message_(message) {}

  // Nothing at the end. kBadFormat: a tag, number or length that is cut short or not allowed.
  Result<std::optional<WireField>> Next();

 private:
  Result<WireField> ReadValue(size_t start, uint32_t number, WireType type);

  ByteReader reader_;
  Bytes message_;
};

Result<std::vector<WireField>> ReadWireFields(Bytes message);

// Which of the fields with a number is meant. The last one is what a reader sees of a field that
// is not repeated.
inline constexpr size_t kLastOccurrence = SIZE_MAX;

struct WireStep {
  uint32_t number;
  size_t occurrence = kLastOccurrence;
};

// From the outer message to the field; all steps but the last name messages.
using WirePath = std::span<const WireStep>;
inline constexpr size_t kMaxWireDepth = 64;  // far over the depth of any message of the format

// What a field is set to.
class WireValue {
 public:
  static WireValue Varint(uint64_t value);  // uint32, uint64, bool, enum; int32 sign-extended
  static WireValue ZigZag(int64_t value);   // sint32, sint64
  static WireValue Fixed64(uint64_t value);
  static WireValue Fixed32(uint32_t value);
  static WireValue LengthDelimited(Bytes value);  // string, bytes, message, packed numbers

  WireType type() const { return type_; }
  // The field as it stands in a message.
  std::string Encode(uint32_t number) const;

 private:
  WireValue(WireType type, std::string encoded) : type_(type), encoded_(std::move(encoded)) {}

  WireType type_;
  std::string encoded_;  // all after the tag
};

// kNotFound where the path leads nowhere, kBadFormat where the message is broken on the way.
Result<WireField> FindWireField(Bytes message, WirePath path);

// Each returns the new message; only the field and the lengths of the messages around it differ.
// Replacing and removing what is not there is kNotFound. A value of another wire type than the one
// that it replaces is kBadFormat.
Result<std::string> ReplaceWireField(Bytes message, WirePath path, const WireValue& value);
Result<std::string> RemoveWireField(Bytes message, WirePath path);
// After the last field whose number is not higher. The occurrence in the last step has no meaning.
Result<std::string> InsertWireField(Bytes message, WirePath path, const WireValue& value);
// Replaces the field, or inserts it where it is absent; the messages around it must exist.
Result<std::string> SetWireField(Bytes message, WirePath path, const WireValue& value);

}  // namespace ckpt

#endif  // FORMATS_WIRE_H_
