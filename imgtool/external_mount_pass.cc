#include "imgtool/external_mount_pass.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/check/mounted_directories.h"
#include "formats/image_type.h"
#include "imgtool/external_mounts.h"
#include "imgtool/fixup_context.h"

namespace ckpt {

namespace {

// Sets the key of a mount in the way that the image has for it.
Result<> ProposeKey(const DumpedMount& mount, const std::string& key, std::string evidence,
                    EditPlan& plan) {
  const pb::mnt_entry& entry = mount.entry;
  // Until CRIU 2.8 the key was in the root; both at once are a bug to CRIU.
  const bool is_old = entry.ext_mount() && !entry.has_ext_key();
  const FieldValue old_key =
      entry.has_ext_key() ? FieldValue(entry.ext_key()) : FieldValue(FieldAbsent());
  return plan.Add({mount.place, is_old ? "root" : "ext_key",
                   is_old ? FieldValue(entry.root()) : old_key, key, kExternalMountPass,
                   std::move(evidence)});
}

class ExternalPass {
 public:
  ExternalPass(const FixupContext& context, EditPlan& plan)
      : context_(context), plan_(plan), mounts_(MountsToMake(context.facts)) {}

  Result<> Run() {
    std::set<const ExternalMount*> used;
    CKPT_TRY(ProposeNamed(used));
    CKPT_TRY(ProposeFound());
    for (const ExternalMount& wanted : context_.mounts.external) {
      if (!used.contains(&wanted)) return NothingMountedAt(wanted);
    }
    return success();
  }

 private:
  bool FirstNamespaceHas(const std::string& mountpoint) const {
    return std::ranges::any_of(mounts_, [&](const DumpedMount& mount) {
      return mount.entry.mountpoint() == mountpoint && !FurtherNamespaceOf(mount, mounts_);
    });
  }

  bool IsMeant(const ExternalMount& wanted, const DumpedMount& mount) const {
    if (wanted.mountpoint != mount.entry.mountpoint()) return false;
    if (wanted.mnt_ns_id) {
      const auto image = FindImageTypeByFileName(mount.place.image);
      return image && image->id == *wanted.mnt_ns_id;
    }
    return !FurtherNamespaceOf(mount, mounts_) || !FirstNamespaceHas(wanted.mountpoint);
  }

  // The one that names the namespace counts more.
  const ExternalMount* Wanted(const DumpedMount& mount) const {
    const ExternalMount* found = nullptr;
    for (const ExternalMount& wanted : context_.mounts.external) {
      if (!IsMeant(wanted, mount)) continue;
      if (found == nullptr || (wanted.mnt_ns_id && !found->mnt_ns_id)) found = &wanted;
    }
    return found;
  }

  Result<> ProposeNamed(std::set<const ExternalMount*>& used) {
    for (const DumpedMount& mount : mounts_) {
      const ExternalMount* wanted = Wanted(mount);
      if (wanted == nullptr) continue;
      used.insert(wanted);
      CKPT_TRY(ProposeKey(mount, wanted->key, "--ext-mount-map", plan_));
    }
    return success();
  }

  Result<> ProposeFound() {
    for (const DumpedMount* mount : MountsThatNeedKeys(mounts_)) {
      if (Wanted(*mount) != nullptr) continue;
      const bool is_union = IsUnionType(mount->entry);
      if (!is_union && !context_.mounts.external_auto) continue;
      CKPT_TRY(ProposeKey(*mount, ExternalName(*mount, mounts_),
                          is_union ? "a union that is not the first process's root, which no "
                                     "restorer mounts"
                                   : "shows what no other mount of the dump does "
                                     "(--ext-mount-map auto)",
                          plan_));
    }
    return success();
  }

  Error NothingMountedAt(const ExternalMount& wanted) const {
    std::vector<std::string> needed;
    for (const DumpedMount* mount : MountsThatNeedKeys(mounts_)) {
      needed.push_back(FieldText(ExternalName(*mount, mounts_)));
    }
    const std::string name =
        (wanted.mnt_ns_id ? fmt::format("{}", *wanted.mnt_ns_id) : "") + wanted.mountpoint;
    return MakeError(ErrorCode::kNotFound,
                     "--ext-mount-map: nothing in the dump is mounted at {}; mounts that need a "
                     "key: {}",
                     FieldText(name),
                     needed.empty() ? "none" : fmt::format("{}", fmt::join(needed, ", ")));
  }

  const FixupContext& context_;
  EditPlan& plan_;
  const std::vector<DumpedMount> mounts_;
};

}  // namespace

Result<> ProposeExternalMounts(const FixupContext& context, EditPlan& plan) {
  return ExternalPass(context, plan).Run();
}

}  // namespace ckpt
