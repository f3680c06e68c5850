#include "formats/wire.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace ckpt {
namespace {

constexpr uint64_t kMaxFieldNumber = (1U << 29) - 1;

void AppendVarint(uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

std::string LittleEndian(uint64_t value, size_t size_bytes) {
  std::string out;
  for (size_t i = 0; i < size_bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

std::string EncodeTag(uint32_t number, WireType type) {
  std::string out;
  AppendVarint((uint64_t{number} << 3) | static_cast<uint64_t>(type), out);
  return out;
}

Error CutShort(std::string_view what, size_t offset) {
  return MakeError(ErrorCode::kBadFormat, "{} at byte {} of the message is cut short", what,
                   offset);
}

bool IsKnownWireType(uint64_t type) { return type <= 2 || type == 5; }

// The byte range of `part`, which is a view into `message`.
size_t OffsetIn(Bytes message, Bytes part) {
  return static_cast<size_t>(part.data() - message.data());
}

std::string Splice(Bytes message, size_t offset, size_t removed, std::string_view inserted) {
  std::string_view text = AsText(message);
  std::string out;
  out.reserve(text.size() - removed + inserted.size());
  out.append(text.substr(0, offset)).append(inserted).append(text.substr(offset + removed));
  return out;
}

Result<WireField> FindStep(Bytes message, WireStep step) {
  WireReader reader(message);
  std::optional<WireField> found;
  size_t seen = 0;
  while (true) {
    CKPT_TRY(auto field, reader.Next());
    if (!field) break;
    if (field->number != step.number) continue;
    if (step.occurrence == kLastOccurrence || seen == step.occurrence) found = field;
    ++seen;
  }
  if (found) return *found;
  if (step.occurrence == kLastOccurrence) {
    return MakeError(ErrorCode::kNotFound, "no field {}", step.number);
  }
  return MakeError(ErrorCode::kNotFound, "no field {} with index {}, there are {}", step.number,
                   step.occurrence, seen);
}

Result<WireField> FindMessageStep(Bytes message, WireStep step) {
  CKPT_TRY(WireField field, FindStep(message, step));
  if (field.type == WireType::kLengthDelimited) return field;
  return MakeError(ErrorCode::kBadFormat, "field {} is no message but has wire type {}",
                   step.number, static_cast<int>(field.type));
}

Result<> CheckPath(WirePath path) {
  CKPT_CHECK(!path.empty());
  if (path.size() <= kMaxWireDepth) return success();
  return MakeError(ErrorCode::kUnsupported, "a path of {} fields, at most {} are followed",
                   path.size(), kMaxWireDepth);
}

using Edit = std::function<Result<std::string>(Bytes message, WireStep step)>;

// Applies `edit` to the message that holds the last step, and renews the lengths on the way back.
Result<std::string> EditAt(Bytes message, WirePath path, const Edit& edit) {
  if (path.size() == 1) return edit(message, path.front());
  CKPT_TRY(WireField field, FindMessageStep(message, path.front()));
  CKPT_TRY(std::string inner, EditAt(field.value, path.subspan(1), edit));
  std::string outer = WireValue::LengthDelimited(AsBytes(inner)).Encode(field.number);
  return Splice(message, OffsetIn(message, field.whole), field.whole.size(), outer);
}

Result<std::string> ReplaceHere(Bytes message, WireStep step, const WireValue& value) {
  CKPT_TRY(WireField field, FindStep(message, step));
  if (field.type != value.type()) {
    return MakeError(ErrorCode::kBadFormat, "field {} has wire type {}, its new value {}",
                     step.number, static_cast<int>(field.type), static_cast<int>(value.type()));
  }
  return Splice(message, OffsetIn(message, field.whole), field.whole.size(),
                value.Encode(step.number));
}

Result<std::string> InsertHere(Bytes message, WireStep step, const WireValue& value) {
  CKPT_TRY(auto fields, ReadWireFields(message));
  size_t offset = 0;
  for (const WireField& field : fields) {
    if (field.number > step.number) continue;
    offset = OffsetIn(message, field.whole) + field.whole.size();
  }
  return Splice(message, offset, 0, value.Encode(step.number));
}

Result<std::string> SetHere(Bytes message, WireStep step, const WireValue& value) {
  auto found = FindStep(message, step);
  if (found.has_error() && found.error().code == ErrorCode::kNotFound) {
    return InsertHere(message, step, value);
  }
  return ReplaceHere(message, step, value);
}

}  // namespace

Result<std::optional<WireField>> WireReader::Next() {
  if (reader_.AtEnd()) return std::optional<WireField>();
  size_t start = reader_.offset();
  auto tag = reader_.ReadVarint();
  if (!tag) return CutShort("the tag", start);
  uint64_t number = *tag >> 3;
  if (number == 0 || number > kMaxFieldNumber) {
    return MakeError(ErrorCode::kBadFormat,
                     "field number {} at byte {} of the message, 1 to {} "
                     "are allowed",
                     number, start, kMaxFieldNumber);
  }
  if (!IsKnownWireType(*tag & 7)) {
    return MakeError(ErrorCode::kBadFormat,
                     "wire type {} of field {} at byte {} of the message, "
                     "0, 1, 2 and 5 are allowed",
                     *tag & 7, number, start);
  }
  CKPT_TRY(WireField field,
           ReadValue(start, static_cast<uint32_t>(number), static_cast<WireType>(*tag & 7)));
  return std::optional(field);
}

Result<WireField> WireReader::ReadValue(size_t start, uint32_t number, WireType type) {
  std::optional<Bytes> value;
  size_t value_start = reader_.offset();
  uint64_t word = 0;
  if (type == WireType::kVarint) {
    auto varint = reader_.ReadVarint();
    if (varint) {
      word = *varint;
      value = message_.subspan(value_start, reader_.offset() - value_start);
    }
  } else if (type == WireType::kLengthDelimited) {
    auto length = reader_.ReadVarint();
    if (length && *length <= reader_.remaining()) value = reader_.ReadBytes(*length);
  } else {
    size_t size_bytes = type == WireType::kFixed64 ? 8 : 4;
    value = reader_.ReadBytes(size_bytes);
    if (value) {
      ByteReader number_reader(*value);
      word = size_bytes == 8 ? *number_reader.ReadU64() : *number_reader.ReadU32();
    }
  }
  if (!value) return CutShort(fmt::format("field {}", number), start);
  Bytes whole = message_.subspan(start, reader_.offset() - start);
  return WireField{number, type, whole, *value, word};
}

Result<std::vector<WireField>> ReadWireFields(Bytes message) {
  WireReader reader(message);
  std::vector<WireField> fields;
  while (true) {
    CKPT_TRY(auto field, reader.Next());
    if (!field) return fields;
    fields.push_back(*field);
  }
}

WireValue WireValue::Varint(uint64_t value) {
  std::string encoded;
  AppendVarint(value, encoded);
  return {WireType::kVarint, std::move(encoded)};
}

WireValue WireValue::ZigZag(int64_t value) {
  uint64_t sign = value < 0 ? UINT64_MAX : 0;
  return Varint((static_cast<uint64_t>(value) << 1) ^ sign);
}

WireValue WireValue::Fixed64(uint64_t value) {
  return {WireType::kFixed64, LittleEndian(value, 8)};
}

WireValue WireValue::Fixed32(uint32_t value) {
  return {WireType::kFixed32, LittleEndian(value, 4)};
}

WireValue WireValue::LengthDelimited(Bytes value) {
  std::string encoded;
  AppendVarint(value.size(), encoded);
  encoded.append(AsText(value));
  return {WireType::kLengthDelimited, std::move(encoded)};
}

std::string WireValue::Encode(uint32_t number) const { return EncodeTag(number, type_) + encoded_; }

Result<WireField> FindWireField(Bytes message, WirePath path) {
  CKPT_TRY(CheckPath(path));
  for (WireStep step : path.first(path.size() - 1)) {
    CKPT_TRY(WireField field, FindMessageStep(message, step));
    message = field.value;
  }
  return FindStep(message, path.back());
}

Result<std::string> ReplaceWireField(Bytes message, WirePath path, const WireValue& value) {
  CKPT_TRY(CheckPath(path));
  return EditAt(message, path,
                [&](Bytes inner, WireStep step) { return ReplaceHere(inner, step, value); });
}

Result<std::string> RemoveWireField(Bytes message, WirePath path) {
  CKPT_TRY(CheckPath(path));
  return EditAt(message, path, [](Bytes inner, WireStep step) -> Result<std::string> {
    CKPT_TRY(WireField field, FindStep(inner, step));
    return Splice(inner, OffsetIn(inner, field.whole), field.whole.size(), "");
  });
}

Result<std::string> InsertWireField(Bytes message, WirePath path, const WireValue& value) {
  CKPT_TRY(CheckPath(path));
  return EditAt(message, path,
                [&](Bytes inner, WireStep step) { return InsertHere(inner, step, value); });
}

Result<std::string> SetWireField(Bytes message, WirePath path, const WireValue& value) {
  CKPT_TRY(CheckPath(path));
  return EditAt(message, path,
                [&](Bytes inner, WireStep step) { return SetHere(inner, step, value); });
}

}  // namespace ckpt
