#include "imgtool/role_fields.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <map>
#include <utility>

#include "formats/image_message.h"
#include "formats/image_type.h"

namespace ckpt {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Whether a message has such fields, in itself or further in: most have not, and are not walked.
class RoleFinder {
 public:
  bool HasRoles(const Descriptor* message) {
    const auto [found, added] = known_.try_emplace(message, false);
    if (!added) return found->second;
    bool has = false;
    for (int i = 0; i < message->field_count(); ++i) {
      const FieldDescriptor* field = message->field(i);
      has = has || FindFieldRole(field->full_name()) != nullptr ||
            (field->message_type() != nullptr && HasRoles(field->message_type()));
    }
    known_[message] = has;
    return has;
  }

 private:
  std::map<const Descriptor*, bool> known_;
};

FieldNumbers NumbersOf(const Message& message, const FieldDescriptor* field) {
  const Reflection& reflection = *message.GetReflection();
  const bool is_wide = field->cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
  FieldNumbers numbers;
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    numbers.push_back(is_wide
                          ? static_cast<int64_t>(reflection.GetRepeatedUInt64(message, field, i))
                          : int64_t{reflection.GetRepeatedUInt32(message, field, i)});
  }
  return numbers;
}

int64_t NumberOf(const Message& message, const FieldDescriptor* field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(message, field);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetInt64(message, field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return static_cast<int64_t>(reflection.GetUInt64(message, field));
    default:
      return reflection.GetUInt32(message, field);
  }
}

class Walker {
 public:
  Walker(RoleFinder& finder, std::vector<RoleField>& found) : finder_(finder), found_(found) {}

  void Walk(const EntryPlace& place, const std::string& prefix, const Message& message) {
    const Reflection& reflection = *message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      const std::string name = prefix + field->name();
      if (field->message_type() != nullptr) {
        if (finder_.HasRoles(field->message_type())) WalkMessages(place, name, message, field);
      } else if (const FieldRoleRow* row = FindFieldRole(field->full_name())) {
        Take(place, name, message, field, row);
      }
    }
  }

 private:
  void WalkMessages(const EntryPlace& place, const std::string& name, const Message& message,
                    const FieldDescriptor* field) {
    const Reflection& reflection = *message.GetReflection();
    if (!field->is_repeated()) {
      Walk(place, name + ".", reflection.GetMessage(message, field));
      return;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      Walk(place, fmt::format("{}[{}].", name, i),
           reflection.GetRepeatedMessage(message, field, i));
    }
  }

  void Take(const EntryPlace& place, const std::string& name, const Message& message,
            const FieldDescriptor* field, const FieldRoleRow* row) {
    RoleField found{place, name, row, FieldAbsent(), true};
    const Reflection& reflection = *message.GetReflection();
    if (field->is_repeated()) {
      found.value = NumbersOf(message, field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      found.value = reflection.GetString(message, field);
    } else {
      found.value = NumberOf(message, field);
    }
    const FieldDescriptor* ext = field->containing_type()->FindFieldByName("ext");
    const bool has_key = row->field == "reg_file_entry.name" && ext != nullptr;
    found.is_path = !has_key || !reflection.GetBool(message, ext);
    found_.push_back(std::move(found));
  }

  RoleFinder& finder_;
  std::vector<RoleField>& found_;
};

}  // namespace

Result<std::vector<RoleField>> ReadRoleFields(const ImageSource& images) {
  std::vector<RoleField> found;
  RoleFinder finder;
  Walker walker(finder, found);
  for (const std::string& name : images.file_names()) {
    const auto type = FindImageTypeByFileName(name);
    const Descriptor* first = type ? FindEntryDescriptor(type->type, 0) : nullptr;
    const Descriptor* second = type ? FindEntryDescriptor(type->type, 1) : nullptr;
    if (first == nullptr || !(finder.HasRoles(first) || finder.HasRoles(second))) continue;
    CKPT_TRY(const ImageFile image, images.Read(name));
    for (const ImageEntry& entry : image.entries()) {
      const Descriptor* descriptor = FindEntryDescriptor(image.type(), entry.index);
      CKPT_TRY(const auto message, ParseMessageOf(*descriptor, entry.message));
      walker.Walk({name, entry.index}, "", *message);
    }
  }
  return found;
}

Edit EditOf(const RoleField& field, FieldValue new_value, const char* pass, std::string evidence) {
  return {field.place, field.field, field.value, std::move(new_value), pass, std::move(evidence)};
}

}  // namespace ckpt
