#include "imgtool/explore/message_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>

#include "formats/proto/spelling.pb.h"
#include "formats/spelling.h"
#include "imgtool/octal_text.h"

namespace ckpt {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Longer values are told by their hash.
constexpr size_t kMaxShownBytes = 64;

bool IsHex(const FieldDescriptor& field) {
  return field.options().GetExtension(pb::spelling).hex();
}

// `hex`: a field above says that all numbers inside are.
std::string NumberText(const FieldDescriptor& field, uint64_t value, bool hex) {
  const pb::CRIU_Opts& options = field.options().GetExtension(pb::spelling);
  if (options.has_flags()) {
    if (const auto names = FindFlagNames(options.flags())) return SpellFlags(*names, value);
  }
  if (options.has_dict()) {
    const auto names = FindDictionary(options.dict(), field.name());
    const auto name = names ? FindName(*names, value) : std::nullopt;
    // crit's names of task states are wrong; the number is not.
    if (name && options.dict() != "gen") return std::string(*name);
  }
  if (options.dev()) return options.odev() ? SpellUserDevice(value) : SpellKernelDevice(value);
  return hex || options.hex() ? SpellHex(value) : fmt::to_string(value);
}

// One value, of a repeated field that at `index`.
class Value {
 public:
  Value(const Message& message, const FieldDescriptor& field, int index, bool hex = false)
      : message_(message),
        field_(field),
        index_(index),
        hex_(hex),
        reflection_(*message.GetReflection()) {}

  std::string Text() const {
    switch (field_.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return fmt::to_string(Get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32));
      case FieldDescriptor::CPPTYPE_INT64:
        return fmt::to_string(Get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64));
      case FieldDescriptor::CPPTYPE_UINT32:
        return NumberText(field_, Get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32),
                          hex_);
      case FieldDescriptor::CPPTYPE_UINT64:
        return NumberText(field_, Get(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64),
                          hex_);
      case FieldDescriptor::CPPTYPE_BOOL:
        return Get(&Reflection::GetBool, &Reflection::GetRepeatedBool) ? "true" : "false";
      case FieldDescriptor::CPPTYPE_ENUM:
        return Get(&Reflection::GetEnum, &Reflection::GetRepeatedEnum)->name();
      case FieldDescriptor::CPPTYPE_STRING:
        return BytesText(Get(&Reflection::GetString, &Reflection::GetRepeatedString));
      default:
        return "";
    }
  }

 private:
  template <typename T>
  T Get(T (Reflection::*single)(const Message&, const FieldDescriptor*) const,
        T (Reflection::*repeated)(const Message&, const FieldDescriptor*, int) const) const {
    return field_.is_repeated() ? (reflection_.*repeated)(message_, &field_, index_)
                                : (reflection_.*single)(message_, &field_);
  }

  const Message& message_;
  const FieldDescriptor& field_;
  int index_;
  bool hex_;
  const Reflection& reflection_;
};

std::string DefaultText(const FieldDescriptor& field, bool hex) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return fmt::to_string(field.default_value_int32());
    case FieldDescriptor::CPPTYPE_UINT32:
      return NumberText(field, field.default_value_uint32(), hex);
    case FieldDescriptor::CPPTYPE_UINT64:
      return NumberText(field, 0, hex);
    case FieldDescriptor::CPPTYPE_BOOL:
      return "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return field.default_value_enum()->name();
    case FieldDescriptor::CPPTYPE_STRING:
      return BytesText("");
    default:
      return "0";
  }
}

struct KeyRow {
  std::string_view message;
  const char* field;
};

// Lists whose order means nothing: their entries go by this field.
constexpr KeyRow kKeys[] = {
    {"posix_timer_entry", "it_id"},  {"eventpoll_tfd_entry", "tfd"}, {"inotify_wd_entry", "wd"},
    {"net_device_entry", "ifindex"}, {"cg_set_entry", "id"},
};

// What stands in the brackets for the entries of a repeated field.
class Places {
 public:
  explicit Places(const FieldDescriptor& field) {
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
    const auto row = std::ranges::find(kKeys, field.message_type()->name(), &KeyRow::message);
    if (row != std::end(kKeys)) key_ = field.message_type()->FindFieldByName(row->field);
  }

  std::string Of(const Message& parent, const FieldDescriptor& field, int index) {
    if (key_ == nullptr) return fmt::to_string(index);
    const auto& reflection = *parent.GetReflection();
    const Message& entry = reflection.GetRepeatedMessage(parent, &field, index);
    const std::string value = Value(entry, *key_, 0).Text();
    const int before = used_[value]++;
    return fmt::format("{} {}{}", key_->name(), value,
                       before == 0 ? "" : fmt::format(" ({})", before + 1));
  }

 private:
  const FieldDescriptor* key_ = nullptr;
  std::map<std::string, int> used_;
};

class Flattening {
 public:
  Flattening(const FieldMeaning& meaning, Fields& out) : meaning_(meaning), out_(out) {}

  void Append(const Message& message, const std::string& prefix, bool hex) {
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      const std::string path = prefix + field->name();
      if (meaning_.Replace(message, *field, path, out_)) continue;
      AppendField(message, *field, path, hex);
    }
  }

 private:
  void AppendField(const Message& message, const FieldDescriptor& field, const std::string& path,
                   bool hex) {
    const Reflection& reflection = *message.GetReflection();
    Places places(field);
    const int count = field.is_repeated() ? reflection.FieldSize(message, &field) : 1;
    for (int i = 0; i < count; ++i) {
      const std::string place =
          field.is_repeated() ? fmt::format("{}[{}]", path, places.Of(message, field, i)) : path;
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        const Message& inner = field.is_repeated()
                                   ? reflection.GetRepeatedMessage(message, &field, i)
                                   : reflection.GetMessage(message, &field);
        Append(inner, place + ".", hex || IsHex(field));
        continue;
      }
      std::string text = Value(message, field, i, hex).Text();
      if (field.is_optional() && text == DefaultText(field, hex)) continue;
      out_.push_back({place, std::move(text)});
    }
  }

  const FieldMeaning& meaning_;
  Fields& out_;
};

}  // namespace

void AppendFields(const Message& message, const std::string& prefix, const FieldMeaning& meaning,
                  Fields& out) {
  Flattening(meaning, out).Append(message, prefix, /*hex=*/false);
}

std::string BytesText(std::string_view bytes) {
  if (bytes.size() <= kMaxShownBytes) return fmt::format("\"{}\"", EscapeOctal(bytes));
  const bool is_printable =
      std::ranges::all_of(bytes, [](unsigned char c) { return c >= ' ' && c < 0x7f; });
  if (is_printable && bytes.size() <= 64 * kMaxShownBytes) return fmt::format("\"{}\"", bytes);
  return fmt::format("{} bytes, hash {:016x}", bytes.size(), HashBytes(bytes));
}

uint64_t HashBytes(std::string_view bytes, uint64_t seed) {
  // FNV-1a.
  uint64_t hash = seed == 0 ? 0xcbf29ce484222325 : seed;
  for (const char c : bytes) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

}  // namespace ckpt
