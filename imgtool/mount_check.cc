#include "imgtool/mount_check.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "imgtool/branch_map.h"
#include "imgtool/external_mounts.h"

namespace ckpt {

namespace {

using google::protobuf::FieldDescriptor;

void SetField(pb::mnt_entry& entry, const Edit& edit) {
  const FieldDescriptor* field = pb::mnt_entry::descriptor()->FindFieldByName(edit.field);
  if (field == nullptr) return;
  const auto* reflection = pb::mnt_entry::GetReflection();
  if (const auto* bytes = std::get_if<std::string>(&edit.new_value)) {
    reflection->SetString(&entry, field, *bytes);
  } else if (const auto* number = std::get_if<int64_t>(&edit.new_value)) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
      reflection->SetUInt32(&entry, field, static_cast<uint32_t>(*number));
    }
  } else {
    reflection->ClearField(&entry, field);
  }
}

// The parents of the mounts of a namespace.
class Parents {
 public:
  explicit Parents(const std::vector<DumpedMount>& mounts) {
    for (const DumpedMount& mount : mounts) by_id_.try_emplace(mount.entry.mnt_id(), &mount);
  }

  const DumpedMount* Find(const DumpedMount& mount) const {
    const auto parent = by_id_.find(mount.entry.parent_mnt_id());
    return parent == by_id_.end() || parent->second == &mount ? nullptr : parent->second;
  }

  // Whether the parents lead to a mount without one. Each mount is passed once, whoever asks.
  bool LeadToRoot(const DumpedMount& mount) {
    std::vector<const DumpedMount*> path;
    const DumpedMount* at = &mount;
    while (at != nullptr && leads_.try_emplace(at, false).second) {
      path.push_back(at);
      at = Find(*at);
    }
    const bool leads = at == nullptr || leads_[at];
    for (const DumpedMount* passed : path) leads_[passed] = leads;
    return leads;
  }

 private:
  std::unordered_map<uint32_t, const DumpedMount*> by_id_;
  std::unordered_map<const DumpedMount*, bool> leads_;  // not yet, while on the path
};

class TreeCheck {
 public:
  explicit TreeCheck(const std::vector<DumpedMount>& mounts) : mounts_(mounts), parents_(mounts) {}

  std::vector<PlanNote> Run() {
    const DumpedMount* root = nullptr;
    for (const DumpedMount& mount : mounts_) {
      CheckKey(mount);
      CheckPlace(mount, root);
    }
    return std::move(notes_);
  }

 private:
  void Refused(const DumpedMount& mount, const std::string& why) {
    notes_.push_back({mount.place.Text(), "a restorer will refuse it: " + why});
  }

  void CheckKey(const DumpedMount& mount) {
    if (mount.entry.ext_mount() && mount.entry.has_ext_key()) {
      Refused(mount, "it has both ext_mount and ext_key");
    }
  }

  void CheckPlace(const DumpedMount& mount, const DumpedMount*& root) {
    const std::string& mountpoint = mount.entry.mountpoint();
    const DumpedMount* parent = parents_.Find(mount);
    if (parent != nullptr && !IsWithin(mountpoint, parent->entry.mountpoint())) {
      Refused(mount, fmt::format("mountpoint {} is not below that of its parent, {}",
                                 FieldText(mountpoint), FieldText(parent->entry.mountpoint())));
    }
    if (!parents_.LeadToRoot(mount)) Refused(mount, "its parents lead in a circle");
    if (parent != nullptr) return;
    if (mountpoint != "/") {
      Refused(mount, fmt::format("its parent {} is not in the image", mount.entry.parent_mnt_id()));
    } else if (root != nullptr) {
      Refused(mount, fmt::format("a second root beside {}", root->place.Text()));
    } else {
      root = &mount;
    }
  }

  const std::vector<DumpedMount>& mounts_;
  Parents parents_;
  std::vector<PlanNote> notes_;
};

PlanNote NeedsKey(const DumpedMount& mount, const std::string& name) {
  return {mount.place.Text(),
          fmt::format("{} at {} shows what no other mount of the dump does: a restorer needs it as "
                      "an external mount (--ext-mount-map {}:KEY, or auto for all)",
                      FieldText(mount.entry.root()), FieldText(mount.entry.mountpoint()), name)};
}

}  // namespace

std::vector<DumpedMount> EditedMounts(const std::vector<DumpedMount>& mounts,
                                      const EditPlan& plan) {
  std::vector<DumpedMount> edited = mounts;
  std::map<EntryPlace, pb::mnt_entry*> entries;
  for (DumpedMount& mount : edited) entries.emplace(mount.place, &mount.entry);
  for (const Edit* edit : plan.edits()) {
    const auto entry = entries.find(edit->place);
    if (entry != entries.end()) SetField(*entry->second, *edit);
  }
  return edited;
}

std::vector<PlanNote> CheckMountTree(const std::vector<DumpedMount>& mounts) {
  return TreeCheck(mounts).Run();
}

std::vector<PlanNote> CheckMountsOfPlan(const DumpFacts& facts, const EditPlan& plan) {
  std::vector<PlanNote> notes;
  for (const auto& [mnt_ns_id, mounts] : facts.mounts.namespaces()) {
    if (facts.shared_mnt_ns_id == mnt_ns_id) continue;
    for (PlanNote& note : CheckMountTree(EditedMounts(mounts, plan))) {
      notes.push_back(std::move(note));
    }
  }
  const std::vector<DumpedMount> edited = EditedMounts(MountsToMake(facts), plan);
  for (const DumpedMount* mount : MountsThatNeedKeys(edited)) {
    notes.push_back(NeedsKey(*mount, ExternalName(*mount, edited)));
  }
  return notes;
}

}  // namespace ckpt
