#include "imgtool/external_mount_pass.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

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
  ExternalPass(const FixupContext& context, EditPlan& plan) : context_(context), plan_(plan) {}

  Result<> Run() {
    std::set<std::string> used;
    for (const auto& [mnt_ns_id, mounts] : context_.facts.mounts.namespaces()) {
      if (context_.facts.shared_mnt_ns_id == mnt_ns_id) continue;
      CKPT_TRY(ProposeNamed(mounts, used));
      CKPT_TRY(ProposeFound(mounts));
    }
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

  Result<> ProposeNamed(const std::vector<DumpedMount>& mounts, std::set<std::string>& used) {
    for (const DumpedMount& mount : mounts) {
      const std::string* key = WantedKey(mount);
      if (key == nullptr) continue;
      used.insert(mount.entry.mountpoint());
      CKPT_TRY(ProposeKey(mount, *key, "--ext-mount-map", plan_));
    }
    return success();
  }

  Result<> ProposeFound(const std::vector<DumpedMount>& mounts) {
    for (const DumpedMount* mount : MountsThatNeedKeys(mounts)) {
      if (WantedKey(*mount) != nullptr) continue;
      const bool is_union = mount->entry.fstype() == pb::AUFS ||
                            mount->entry.fstype() == pb::OVERLAYFS ||
                            mount->entry.fstype() == pb::FUSE;
      if (!is_union && !context_.mounts.external_auto) continue;
      CKPT_TRY(ProposeKey(*mount, mount->entry.mountpoint(),
                          is_union ? "a union that is not the root of its namespace, which no "
                                     "restorer mounts"
                                   : "shows what no other mount of its namespace does "
                                     "(--ext-mount-map auto)",
                          plan_));
    }
    return success();
  }

  Error NothingMountedAt(const std::string& mountpoint) const {
    std::vector<std::string> needed;
    for (const auto& [mnt_ns_id, mounts] : context_.facts.mounts.namespaces()) {
      for (const DumpedMount* mount : MountsThatNeedKeys(mounts)) {
        needed.push_back(FieldText(mount->entry.mountpoint()));
      }
    }
    return MakeError(ErrorCode::kNotFound,
                     "--ext-mount-map: nothing in the dump is mounted at {}; mounts that need a "
                     "key: {}",
                     FieldText(mountpoint),
                     needed.empty() ? "none" : fmt::format("{}", fmt::join(needed, ", ")));
  }

  const FixupContext& context_;
  EditPlan& plan_;
};

}  // namespace

Result<> ProposeExternalMounts(const FixupContext& context, EditPlan& plan) {
  return ExternalPass(context, plan).Run();
}

}  // namespace ckpt
