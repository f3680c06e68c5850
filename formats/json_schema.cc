#include "formats/json_schema.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "formats/proto/spelling.pb.h"

namespace ckpt {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

struct KindOfType {
  FieldDescriptor::Type type;
  FieldKind kind;
};

// The types that the format uses.
constexpr KindOfType kKinds[] = {
    {FieldDescriptor::TYPE_INT32, FieldKind::kInt32},
    {FieldDescriptor::TYPE_INT64, FieldKind::kInt64},
    {FieldDescriptor::TYPE_UINT32, FieldKind::kUint32},
    {FieldDescriptor::TYPE_UINT64, FieldKind::kUint64},
    {FieldDescriptor::TYPE_SINT32, FieldKind::kSint32},
    {FieldDescriptor::TYPE_SINT64, FieldKind::kSint64},
    {FieldDescriptor::TYPE_FIXED64, FieldKind::kFixed64},
    {FieldDescriptor::TYPE_BOOL, FieldKind::kBool},
    {FieldDescriptor::TYPE_ENUM, FieldKind::kEnum},
    {FieldDescriptor::TYPE_STRING, FieldKind::kString},
    {FieldDescriptor::TYPE_BYTES, FieldKind::kBytes},
    {FieldDescriptor::TYPE_MESSAGE, FieldKind::kMessage},
};

FieldKind KindOf(const FieldDescriptor& field) {
  const auto found = std::ranges::find(kKinds, field.type(), &KindOfType::type);
  CKPT_CHECK(found != std::end(kKinds));
  return found->kind;
}

std::vector<NamedValue> NamesOf(const EnumDescriptor& type) {
  std::vector<NamedValue> names;
  for (int i = 0; i < type.value_count(); ++i) {
    const auto& value = *type.value(i);
    names.push_back({value.name(), static_cast<uint64_t>(int64_t{value.number()})});
  }
  return names;
}

std::vector<NamedValue> NamesOf(std::optional<NameTable> table) {
  CKPT_CHECK(table.has_value());
  return {table->begin(), table->end()};
}

void SetSpelling(const pb::CRIU_Opts& options, bool hex, JsonFieldSchema& field) {
  if (options.has_flags()) {
    field.spelling = Spelling::kFlags;
    field.names = NamesOf(FindFlagNames(options.flags()));
  } else if (options.has_dict()) {
    field.spelling = Spelling::kDictionary;
    field.names = NamesOf(FindDictionary(options.dict(), field.name));
  } else if (options.has_conv()) {
    CKPT_CHECK(options.conv() == "unix_name");
    field.spelling = Spelling::kUnixName;
  } else if (options.dev()) {
    field.spelling = options.odev() ? Spelling::kUserDevice : Spelling::kKernelDevice;
  } else if (options.ipadd()) {
    field.spelling = Spelling::kIpAddress;
  } else if (hex || options.hex()) {
    field.spelling = Spelling::kHex;
  }
}

uint8_t AcceptedTypes(const JsonFieldSchema& field) {
  unsigned types = 1u << static_cast<unsigned>(field.wire_type());
  if (field.packable()) types |= 1u << static_cast<unsigned>(WireType::kLengthDelimited);
  return static_cast<uint8_t>(types);
}

std::string Tag(const JsonFieldSchema& field) {
  const WireType type = field.packed ? WireType::kLengthDelimited : field.wire_type();
  uint64_t tag = uint64_t{field.number} << 3 | static_cast<uint64_t>(type);
  std::string bytes;
  for (; tag >= 0x80; tag >>= 7) bytes.push_back(static_cast<char>((tag & 0x7f) | 0x80));
  bytes.push_back(static_cast<char>(tag));
  return bytes;
}

void IndexFields(JsonMessageSchema& schema) {
  CKPT_CHECK(schema.fields.size() <= kMaxFields);
  static_assert(kMaxFieldNumber < 1 << 11, "tags of more than two bytes");
  if (schema.fields.empty()) return;
  CKPT_CHECK(schema.fields.back().number <= kMaxFieldNumber);
  schema.index_by_number.assign(schema.fields.back().number + 1, JsonMessageSchema::kNoField);
  for (size_t i = 0; i < schema.fields.size(); ++i) {
    JsonFieldSchema& field = schema.fields[i];
    field.index = static_cast<uint8_t>(i);
    schema.index_by_number[field.number] = field.index;
    if (field.required) schema.required |= uint64_t{1} << i;
  }
}

}  // namespace

WireType JsonFieldSchema::wire_type() const {
  switch (kind) {
    case FieldKind::kFixed64:
      return WireType::kFixed64;
    case FieldKind::kString:
    case FieldKind::kBytes:
    case FieldKind::kMessage:
      return WireType::kLengthDelimited;
    default:
      return WireType::kVarint;
  }
}

const JsonMessageSchema& JsonSchemas::Get(const Descriptor& message, bool hex) {
  std::unique_ptr<JsonMessageSchema>& slot = schemas_[{&message, hex}];
  if (slot) return *slot;
  // In place before its fields are made: a message may hold itself.
  slot = std::make_unique<JsonMessageSchema>();
  JsonMessageSchema& schema = *slot;
  schema.name = message.name();
  for (int i = 0; i < message.field_count(); ++i) {
    schema.fields.push_back(MakeField(*message.field(i), hex));
  }
  std::ranges::sort(schema.fields, {}, &JsonFieldSchema::number);
  IndexFields(schema);
  return schema;
}

JsonFieldSchema JsonSchemas::MakeField(const FieldDescriptor& field, bool hex) {
  const pb::CRIU_Opts& options = field.options().GetExtension(pb::spelling);
  JsonFieldSchema made;
  made.number = static_cast<uint32_t>(field.number());
  made.kind = KindOf(field);
  made.repeated = field.is_repeated();
  made.required = field.is_required();
  made.packed = field.is_packed();
  made.name = field.name();
  made.accepted = AcceptedTypes(made);
  made.key = '"' + made.name + "\": ";
  made.tag = Tag(made);
  if (made.kind == FieldKind::kEnum) {
    made.names = NamesOf(*field.enum_type());
  } else if (made.kind == FieldKind::kMessage) {
    made.message = &Get(*field.message_type(), hex || options.hex());
  } else {
    SetSpelling(options, hex, made);
  }
  return made;
}

const JsonMessageSchema& SharedSchema(const Descriptor& message) {
  static std::mutex mutex;
  static JsonSchemas* const schemas = new JsonSchemas;
  const std::lock_guard lock(mutex);
  return schemas->Get(message);
}

}  // namespace ckpt
