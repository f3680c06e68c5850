#include "formats/wire_from_json.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "formats/spelling_reader.h"
#include "formats/wire.h"

namespace ckpt {
namespace {

// What protobuf's own parsers allow.
constexpr int kMaxDepth = 100;

struct Range {
  uint64_t most;           // of a number that is not negative
  uint64_t most_negative;  // its magnitude
};

Range RangeOf(FieldKind kind) {
  constexpr uint64_t kInt32 = std::numeric_limits<int32_t>::max();
  constexpr uint64_t kInt64 = std::numeric_limits<int64_t>::max();
  switch (kind) {
    case FieldKind::kInt32:
    case FieldKind::kSint32:
    case FieldKind::kEnum:
      return {kInt32, kInt32 + 1};
    case FieldKind::kInt64:
    case FieldKind::kSint64:
      return {kInt64, kInt64 + 1};
    case FieldKind::kUint32:
      return {std::numeric_limits<uint32_t>::max(), 0};
    default:
      return {std::numeric_limits<uint64_t>::max(), 0};
  }
}

bool IsZigZag(FieldKind kind) { return kind == FieldKind::kSint32 || kind == FieldKind::kSint64; }

// What a text may be in place of a number.
std::string_view Allowed(const JsonFieldSchema& field) {
  switch (field.spelling) {
    case Spelling::kFlags:
      return "flags by name, joined with |, or a number";
    case Spelling::kDictionary:
      return "a name of its table or a number";
    case Spelling::kKernelDevice:
    case Spelling::kUserDevice:
      return "major:minor or a number";
    default:
      return "a whole number";
  }
}

}  // namespace

const JsonFieldSchema* WireFromJson::FindField(const JsonMessageSchema& schema,
                                               std::string_view key) {
  const size_t count = schema.fields.size();
  // Keys mostly come in the order of the fields.
  for (size_t i = 0, at = next_field_ < count ? next_field_ : 0; i < count; ++i) {
    if (schema.fields[at].name == key) return &schema.fields[at];
    if (++at == count) at = 0;
  }
  return nullptr;
}

// The next field where the text is as decode writes it: one of the few behind the last one.
const JsonFieldSchema* WireFromJson::TakeField(const JsonMessageSchema& schema, bool first) {
  constexpr size_t kGuesses = 4;
  const size_t end = std::min(schema.fields.size(), next_field_ + kGuesses);
  for (size_t i = next_field_; i < end; ++i) {
    if (json_.TakeKey(first, schema.fields[i].key)) return &schema.fields[i];
  }
  return nullptr;
}

bool WireFromJson::ReadMessage(const JsonMessageSchema& schema, ExtraKeys* extra_keys) {
  if (!json_.TakeBrace('{') && !json_.BeginObject()) return false;
  if (depth_ == kMaxDepth) return json_.Fail(fmt::format("objects nest deeper than {}", kMaxDepth));
  ++depth_;
  MessageBuild build{.schema = schema, .begin = wire_.size()};
  next_field_ = 0;
  for (bool first = true; !json_.TakeBrace('}'); first = false) {
    if (const JsonFieldSchema* field = TakeField(schema, first)) {
      if (!ReadMember(*field, build)) return false;
      continue;
    }
    std::string_view key;
    const JsonStep step = json_.NextMember(first, key);
    if (step == JsonStep::kEnd) break;
    if (step == JsonStep::kFailed || !ReadMember(key, build, extra_keys)) return false;
  }
  --depth_;
  return FinishMessage(build);
}

bool WireFromJson::ReadMember(std::string_view key, MessageBuild& build, ExtraKeys* extra_keys) {
  const JsonFieldSchema* field = FindField(build.schema, key);
  if (field != nullptr) return ReadMember(*field, build);
  bool known = false;
  const std::string name(key);
  if (extra_keys != nullptr && !extra_keys->Read(name, build, known)) {
    json_.PrependPath("." + name);
    return false;
  }
  return known || json_.Fail(fmt::format("{} is no field of {}", JsonReader::Quoted(name),
                                         build.schema.name));
}

bool WireFromJson::ReadMember(const JsonFieldSchema& field, MessageBuild& build) {
  if (build.closed) {
    return json_.Fail("a field behind a long extra, which has to be the last key");
  }
  const uint64_t bit = uint64_t{1} << field.index;
  if ((build.seen & bit) != 0)
    return json_.Fail(fmt::format("the key {} twice", JsonReader::Quoted(field.name)));
  build.seen |= bit;
  build.ordered = build.ordered && field.number > build.last;
  build.last = field.number;
  if (!(field.repeated ? ReadRepeated(field) : ReadValue(field, /*tagged=*/true))) {
    json_.PrependPath("." + field.name);
    return false;
  }
  next_field_ = size_t{field.index} + 1;
  return true;
}

// crit before 4.2 has the name of field 5 of a pagemap_entry for field 2, which is required.
void WireFromJson::RenameOldPageCount(MessageBuild& build) {
  constexpr uint32_t kOldNumber = 2;
  constexpr uint32_t kNumber = 5;
  if (build.schema.name != "pagemap_entry") return;
  const uint64_t old_bit = uint64_t{1} << build.schema.Find(kOldNumber)->index;
  const uint64_t bit = uint64_t{1} << build.schema.Find(kNumber)->index;
  if ((build.seen & old_bit) != 0 || (build.seen & bit) == 0) return;
  const std::string message(AsText(wire_.From(build.begin)));
  auto fields = ReadWireFields(AsBytes(message));
  CKPT_CHECK(fields.has_value());
  wire_.Truncate(build.begin);
  for (const WireField& field : fields.value()) {
    const bool is_count = field.number == kNumber;
    if (is_count) wire_.AppendTag(build.schema.Find(kOldNumber)->tag);
    wire_.Append(is_count ? field.value : field.whole);
  }
  build.seen = (build.seen | old_bit) & ~bit;
  build.ordered = false;
}

bool WireFromJson::FinishMessage(MessageBuild& build) {
  if ((build.schema.required & ~build.seen) != 0) RenameOldPageCount(build);
  const uint64_t missing = build.schema.required & ~build.seen;
  if (missing != 0) {
    std::string names;
    for (const JsonFieldSchema& field : build.schema.fields) {
      if ((missing >> field.index & 1) != 0) names += (names.empty() ? "" : ", ") + field.name;
    }
    return json_.Fail(fmt::format("{} without required {}", build.schema.name, names));
  }
  if (!build.ordered) SortFields(build);
  build.ordered = true;
  return true;
}

void WireFromJson::SortFields(const MessageBuild& build) {
  auto fields = ReadWireFields(wire_.From(build.begin));
  CKPT_CHECK(fields.has_value());
  std::ranges::stable_sort(fields.value(), {}, &WireField::number);
  std::string sorted;
  for (const WireField& field : fields.value()) sorted += AsText(field.whole);
  wire_.Truncate(build.begin);
  wire_.Append(sorted);
}

bool WireFromJson::ReadRepeated(const JsonFieldSchema& field) {
  if (!json_.BeginArray()) return false;
  if (!field.packed) return ReadElements(field);
  const size_t before = wire_.size();
  wire_.Append(field.tag);
  const size_t begin = wire_.BeginLength();
  if (!ReadElements(field)) return false;
  if (wire_.size() == begin) {
    wire_.Truncate(before);
  } else {
    wire_.EndLength(begin);
  }
  return true;
}

bool WireFromJson::ReadElements(const JsonFieldSchema& field) {
  bool is_address = false;
  for (size_t i = 0;; ++i) {
    const JsonStep step = json_.NextElement(i == 0);
    if (step == JsonStep::kEnd) return true;
    bool read = step == JsonStep::kItem;
    if (read && is_address) {
      json_.Fail("a value beside an address");
      read = false;
    }
    if (read && i == 0 && field.spelling == Spelling::kIpAddress) {
      read = ReadAddress(field, is_address);
    }
    if (read && !is_address) read = ReadValue(field, /*tagged=*/!field.packed);
    if (read) continue;
    json_.PrependPath(fmt::format("[{}]", i));
    return false;
  }
}

bool WireFromJson::ReadValue(const JsonFieldSchema& field, bool tagged) {
  if (tagged) wire_.AppendTag(field.tag);
  switch (field.kind) {
    case FieldKind::kMessage:
      return ReadNestedMessage(field);
    case FieldKind::kString:
      return ReadText(field);
    case FieldKind::kBytes:
      return field.spelling == Spelling::kUnixName ? ReadText(field) : ReadBase64(field);
    case FieldKind::kBool: {
      bool value = false;
      if (!json_.ReadBool(value)) return false;
      wire_.AppendVarint(value ? 1 : 0);
      return true;
    }
    default: {
      uint64_t wire = 0;
      if (!ReadNumber(field, wire)) return false;
      AppendNumber(field, wire);
      return true;
    }
  }
}

void WireFromJson::AppendNumber(const JsonFieldSchema& field, uint64_t wire) {
  if (field.kind == FieldKind::kFixed64) return wire_.AppendLittleEndian(wire, sizeof wire);
  wire_.AppendVarint(wire);
}

bool WireFromJson::ReadNestedMessage(const JsonFieldSchema& field) {
  const size_t begin = wire_.BeginLength();
  if (!ReadMessage(*field.message)) return false;
  wire_.EndLength(begin);
  return true;
}

bool WireFromJson::ReadText(const JsonFieldSchema& field) {
  std::string_view bytes;
  if (!json_.ReadString(bytes)) return false;
  if (field.spelling == Spelling::kUnixName) {
    const std::string name = ReadUnixName(bytes);
    wire_.AppendVarint(name.size());
    wire_.Append(name);
  } else {
    wire_.AppendVarint(bytes.size());
    wire_.Append(bytes);
  }
  return true;
}

bool WireFromJson::ReadBase64(const JsonFieldSchema&) {
  const size_t begin = wire_.BeginLength();
  if (!json_.BeginBase64()) return false;
  std::byte piece[JsonReader::kLeastBase64Bytes];
  while (true) {
    size_t size = 0;
    if (!json_.ReadBase64(piece, size)) return false;
    if (size == 0) break;
    wire_.Append(Bytes(piece, size));
  }
  wire_.EndLength(begin);
  return true;
}

bool WireFromJson::ReadNumber(const JsonFieldSchema& field, uint64_t& wire) {
  if (json_.TakeNumber(wire)) return ToWire(field, wire, /*negative=*/false, wire);
  JsonKind kind;
  if (!json_.Peek(kind)) return false;
  if (kind == JsonKind::kString) return ReadSpeltNumber(field, wire);
  uint64_t magnitude = 0;
  bool negative = false;
  return json_.ReadInteger(magnitude, negative) && ToWire(field, magnitude, negative, wire);
}

bool WireFromJson::ToWire(const JsonFieldSchema& field, uint64_t magnitude, bool negative,
                          uint64_t& wire) {
  const Range range = RangeOf(field.kind);
  if (magnitude > (negative ? range.most_negative : range.most)) {
    return json_.Fail(fmt::format("{}{} where {}{} to {} is allowed", negative ? "-" : "",
                                  magnitude, range.most_negative > 0 ? "-" : "",
                                  range.most_negative, range.most));
  }
  wire = negative ? ~magnitude + 1 : magnitude;
  if (IsZigZag(field.kind)) wire = wire << 1 ^ (negative ? UINT64_MAX : 0);
  return true;
}

bool WireFromJson::ReadSpeltNumber(const JsonFieldSchema& field, uint64_t& wire) {
  std::string_view text;
  if (!json_.ReadString(text)) return false;
  if (field.kind == FieldKind::kEnum) {
    if (const auto value = FindValue(field.names, text)) {
      wire = *value;
      return true;
    }
    return json_.Fail(fmt::format("{} is no name of this enum", JsonReader::Quoted(text)));
  }
  std::optional<uint64_t> value;
  if (field.spelling == Spelling::kFlags) value = ReadFlags(field.names, text);
  if (field.spelling == Spelling::kDictionary) value = FindValue(field.names, text);
  if (field.spelling == Spelling::kKernelDevice) value = ReadKernelDevice(text);
  if (field.spelling == Spelling::kUserDevice) value = ReadUserDevice(text);
  if (value) return ToWire(field, *value, /*negative=*/false, wire);
  const auto integer = ReadInteger(text);
  if (integer) return ToWire(field, integer->magnitude, integer->negative, wire);
  return json_.Fail(
      fmt::format("{} where {} is allowed", JsonReader::Quoted(text), Allowed(field)));
}

// All words of an address in one text; anything else is left to be read as it is.
bool WireFromJson::ReadAddress(const JsonFieldSchema& field, bool& is_address) {
  JsonKind kind;
  if (!json_.Peek(kind)) return false;
  if (kind != JsonKind::kString) return true;
  std::string_view text;
  if (!json_.ReadString(text)) return false;
  const auto words = ReadIpAddress(text);
  if (!words) return json_.Fail(fmt::format("{} is no address", JsonReader::Quoted(text)));
  for (const uint32_t word : *words) {
    if (!field.packed) wire_.Append(field.tag);
    AppendNumber(field, word);
  }
  is_address = true;
  return true;
}

}  // namespace ckpt
