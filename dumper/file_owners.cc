#include "dumper/file_owners.h"

#include <fcntl.h>

namespace ckpt {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The owner in the one member of `entry` that is set, or null: each kind of file has its own.
pb::fown_entry* OwnerOf(pb::file_entry& entry) {
  // Most are regular files, and reflection is slow.
  if (entry.has_reg()) return entry.mutable_reg()->mutable_fown();
  const auto* const reflection = entry.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(entry, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    Message* const member = reflection->MutableMessage(&entry, field);
    const FieldDescriptor* const owner = member->GetDescriptor()->FindFieldByName("fown");
    if (owner == nullptr) continue;
    return dynamic_cast<pb::fown_entry*>(member->GetReflection()->MutableMessage(member, owner));
  }
  return nullptr;
}

}  // namespace

void TranslateOwners(const TreeNumbers& numbers, bool own_pid_namespace,
                     std::vector<pb::file_entry>& entries, Refusals& refusals) {
  for (pb::file_entry& entry : entries) {
    pb::fown_entry* const owner = OwnerOf(entry);
    if (owner == nullptr || owner->pid() == 0) continue;
    const auto& known = owner->pid_type() == F_OWNER_PGRP ? numbers.groups : numbers.threads;
    const auto found = known.find(static_cast<pid_t>(owner->pid()));
    if (found != known.end()) {
      owner->set_pid(found->second);
    } else if (own_pid_namespace) {
      refusals.Add("a file has the owner {} (F_SETOWN), which is outside the tree", owner->pid());
    }
  }
}

}  // namespace ckpt
