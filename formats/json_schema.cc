#include "formats/json_schema.h"

#include <algorithm>
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

bool JsonFieldSchema::Accepts(WireType type) const {
  return type == wire_type() || (type == WireType::kLengthDelimited && packable());
}

const JsonFieldSchema* JsonMessageSchema::Find(uint32_t number) const {
  // Most messages number their fields from 1 without gaps.
  const size_t guess = size_t{number} - 1;
  if (guess < fields.size() && fields[guess].number == number) return &fields[guess];
  const auto found = std::ranges::lower_bound(fields, number, {}, &JsonFieldSchema::number);
  return found != fields.end() && found->number == number ? &*found : nullptr;
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
  return schema;
}

JsonFieldSchema JsonSchemas::MakeField(const FieldDescriptor& field, bool hex) {
  const pb::CRIU_Opts& options = field.options().GetExtension(pb::spelling);
  JsonFieldSchema made;
  made.number = static_cast<uint32_t>(field.number());
  made.kind = KindOf(field);
  made.repeated = field.is_repeated();
  made.name = field.name();
  if (made.kind == FieldKind::kEnum) {
    made.names = NamesOf(*field.enum_type());
  } else if (made.kind == FieldKind::kMessage) {
    made.message = &Get(*field.message_type(), hex || options.hex());
  } else {
    SetSpelling(options, hex, made);
  }
  return made;
}

}  // namespace ckpt
