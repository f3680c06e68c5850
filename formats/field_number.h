// What a number on the wire means by the kind of its field, and how crit spells it.
#ifndef FORMATS_FIELD_NUMBER_H_
#define FORMATS_FIELD_NUMBER_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "formats/json_schema.h"
#include "formats/json_text.h"

namespace ckpt {

// Whether protobuf writes `wire` for a field of this kind, and not a number with fewer bits.
constexpr bool FitsKind(FieldKind kind, uint64_t wire) {
  switch (kind) {
    case FieldKind::kUint32:
    case FieldKind::kSint32:
      return wire <= std::numeric_limits<uint32_t>::max();
    case FieldKind::kInt32:
    case FieldKind::kEnum:
      return wire == static_cast<uint64_t>(int64_t{static_cast<int32_t>(wire)});
    case FieldKind::kBool:
      return wire <= 1;
    default:
      return true;
  }
}

// The number that `wire` means, as protobuf has it: as int64_t where the kind is signed.
uint64_t MeantNumber(FieldKind kind, uint64_t wire);
bool IsUnsigned(FieldKind kind);

// The text for a number as MeantNumber() gives it: a name of its enum, and in pretty style flags,
// names, devices and hex. Nothing where it is to be written as a number; not for kBool.
std::optional<std::string> SpellNumber(const JsonFieldSchema& field, JsonStyle style,
                                       uint64_t number);

}  // namespace ckpt

#endif  // FORMATS_FIELD_NUMBER_H_
