#include "formats/check/mount_damages.h"

#include <map>
#include <string>

#include "formats/check/check_damage.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/mounts.pb.h"

namespace ckpt {

namespace {

std::vector<CheckDamage> MountTreeDamages() {
  const auto is_inner = [](const pb::mnt_entry& mount) { return mount.mountpoint() != "/"; };
  return {
      {"mount-duplicate", OfOwnMounts(Twice<pb::mnt_entry>(ImageType::kMnts)), {"mount-root"}},
      {"mount-root",
       InMount([](pb::mnt_entry& mount) {
         if (mount.mountpoint() != "/") return false;
         mount.set_mountpoint("/elsewhere");
         return true;
       }),
       {"mount-parent", "mount-place", "mount-external", "mount-master", "mount-content"}},
      {"mount-parent", InMount([=](pb::mnt_entry& mount) {
         if (!is_inner(mount)) return false;
         mount.set_parent_mnt_id(kNobody);
         return true;
       })},
      {"mount-cycle",
       OfOwnMounts([=](SampleContainer& sample) {
         // The root's parent becomes a mount below it.
         uint32_t inner = 0;
         uint32_t root = 0;
         sample.dump.Edit<pb::mnt_entry>(ImageType::kMnts, [&](pb::mnt_entry& mount) {
           (is_inner(mount) ? inner : root) = mount.mnt_id();
           return false;
         });
         return inner != 0 &&
                sample.dump.Edit<pb::mnt_entry>(ImageType::kMnts, [&](pb::mnt_entry& mount) {
                  if (mount.mnt_id() != root) return false;
                  mount.set_parent_mnt_id(inner);
                  return true;
                });
       }),
       {"mount-root", "mount-place", "mount-external", "mount-master", "mount-content"}},
      {"mount-place", OfOwnMounts([](SampleContainer& sample) {
         // One that is not mounted on the root itself.
         std::map<uint32_t, std::string> mountpoints;
         const auto note = [&](pb::mnt_entry& mount) {
           mountpoints[mount.mnt_id()] = mount.mountpoint();
           return false;
         };
         sample.dump.Edit<pb::mnt_entry>(ImageType::kMnts, note);
         return sample.dump.Edit<pb::mnt_entry>(ImageType::kMnts, [&](pb::mnt_entry& mount) {
           const auto parent = mountpoints.find(mount.parent_mnt_id());
           if (parent == mountpoints.end() || parent->second == "/") return false;
           mount.set_mountpoint("/elsewhere");
           return true;
         });
       })},
  };
}

std::vector<CheckDamage> MountSourceDamages() {
  const auto is_inner = [](const pb::mnt_entry& mount) { return mount.mountpoint() != "/"; };
  return {
      {"mount-key", InMount([=](pb::mnt_entry& mount) {
         if (!is_inner(mount) || !mount.has_ext_key()) return false;
         mount.set_ext_mount(true);
         return true;
       })},
      {"mount-external", InMount([=](pb::mnt_entry& mount) {
         if (!mount.has_ext_key() || mount.root() == "/") return false;
         mount.clear_ext_key();
         return true;
       })},
      {"mount-type", InMount([=](pb::mnt_entry& mount) {
         if (!mount.has_ext_key()) return false;
         mount.set_fstype(99);
         return true;
       })},
      {"mount-content", OfOwnMounts(Without(ImageType::kTmpfsDev))},
      {"mount-master", InMount([=](pb::mnt_entry& mount) {
         if (!is_inner(mount) || mount.has_ext_key()) return false;
         mount.set_master_id(kNobody);
         return true;
       })},
      {"file-mount", OfOwnMounts(InFile([](pb::file_entry& file) {
         if (!file.has_reg() || file.reg().ext()) return false;
         file.mutable_reg()->set_mnt_id(kNobody);
         return true;
       }))},
      {"watch-mount", OfOwnMounts(InFile([](pb::file_entry& file) {
         if (file.ify().wd().empty()) return false;
         file.mutable_ify()->mutable_wd(0)->mutable_f_handle()->set_mnt_id(kNobody);
         return true;
       }))},
  };
}

}  // namespace

std::vector<CheckDamage> MountDamages() {
  return JoinDamages({MountTreeDamages(), MountSourceDamages()});
}

}  // namespace ckpt
