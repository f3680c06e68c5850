#include "formats/field_number.h"

#include "base/result.h"
#include "formats/spelling.h"

namespace ckpt {
namespace {

int64_t FromZigZag(uint64_t value) {
  return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

uint64_t SignExtended(uint64_t value) {
  return static_cast<uint64_t>(int64_t{static_cast<int32_t>(static_cast<uint32_t>(value))});
}

}  // namespace

uint64_t MeantNumber(FieldKind kind, uint64_t wire) {
  switch (kind) {
    case FieldKind::kInt32:
    case FieldKind::kEnum:
      return SignExtended(wire);
    case FieldKind::kUint32:
      return static_cast<uint32_t>(wire);
    case FieldKind::kSint32:
      return static_cast<uint64_t>(FromZigZag(static_cast<uint32_t>(wire)));
    case FieldKind::kSint64:
      return static_cast<uint64_t>(FromZigZag(wire));
    default:
      return wire;
  }
}

bool IsUnsigned(FieldKind kind) {
  return kind == FieldKind::kUint32 || kind == FieldKind::kUint64 || kind == FieldKind::kFixed64;
}

std::optional<std::string> SpellNumber(const JsonFieldSchema& field, JsonStyle style,
                                       uint64_t number) {
  const bool pretty = style == JsonStyle::kPretty;
  if (field.kind == FieldKind::kEnum || (field.spelling == Spelling::kDictionary && pretty)) {
    const auto name = FindName(field.names, number);
    return name ? std::optional(std::string(*name)) : std::nullopt;
  }
  if (!pretty) return std::nullopt;
  switch (field.spelling) {
    case Spelling::kNatural:
      return std::nullopt;
    case Spelling::kFlags:
      return SpellFlags(field.names, number);
    case Spelling::kKernelDevice:
      return SpellKernelDevice(number);
    case Spelling::kUserDevice:
      return SpellUserDevice(number);
    case Spelling::kHex:
      return IsUnsigned(field.kind) ? SpellHex(number) : SpellHex(static_cast<int64_t>(number));
    default:
      CKPT_CHECK(false);
  }
}

}  // namespace ckpt
