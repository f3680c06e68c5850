#include "imgtool/external_mount_pass.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

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
    std::set<std::string> used;
    CKPT_TRY(ProposeNamed(used));
    CKPT_TRY(ProposeFound());
    for (const ExternalMount& wanted : context_.mounts.external) {
      if (!used.contains(wanted.mountpoint)) return NothingMountedAt(wanted.mountpoint);
    }
    return success();
  }

 private:
  const std::string* WantedKey(const DumpedMount& mount) const {
    for (const ExternalMount& wanted : context_.mounts.external) {
      if (wanted.mountpoint == mount.entry.mountpoint()) return &wanted.key;
    }
    return nullptr;
  }

  Result<> ProposeNamed(std::set<std::string>& used) {
    for (const DumpedMount& mount : mounts_) {
      const std::string* key = WantedKey(mount);
      if (key == nullptr) continue;
      used.insert(mount.entry.mountpoint());
      CKPT_TRY(ProposeKey(mount, *key, "--ext-mount-map", plan_));
    }
    return success();
  }

  // A mountpoint names one mount of a namespace only: that of another one than the first gets the
  // number of its image before it.
  std::string KeyOf(const DumpedMount& mount) const {
    const std::string& mountpoint = mount.entry.mountpoint();
    if (mount.place.image == mounts_.front().place.image) return mountpoint;
    const auto image = FindImageTypeByFileName(mount.place.image);
    return image ? fmt::format("{}{}", image->id, mountpoint) : mountpoint;
  }

  Result<> ProposeFound() {
    for (const DumpedMount* mount : MountsThatNeedKeys(mounts_)) {
      if (WantedKey(*mount) != nullptr) continue;
      const bool is_union = mount->entry.fstype() == pb::AUFS ||
                            mount->entry.fstype() == pb::OVERLAYFS ||
                            mount->entry.fstype() == pb::FUSE;
      if (!is_union && !context_.mounts.external_auto) continue;
      CKPT_TRY(ProposeKey(*mount, KeyOf(*mount),
                          is_union ? "a union that is not the first process's root, which no "
                                     "restorer mounts"
                                   : "shows what no other mount of the dump does "
                                     "(--ext-mount-map auto)",
                          plan_));
    }
    return success();
  }

  Error NothingMountedAt(const std::string& mountpoint) const {
    std::vector<std::string> needed;
    for (const DumpedMount* mount : MountsThatNeedKeys(mounts_)) {
      needed.push_back(FieldText(mount->entry.mountpoint()));
    }
    return MakeError(ErrorCode::kNotFound,
                     "--ext-mount-map: nothing in the dump is mounted at {}; mounts that need a "
                     "key: {}",
                     FieldText(mountpoint),
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
