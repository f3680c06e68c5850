#include "imgtool/external_mounts.h"

#include <algorithm>

#include "imgtool/branch_map.h"

namespace ckpt {

namespace {

bool IsUnionType(const pb::mnt_entry& mount) {
  return mount.fstype() == pb::AUFS || mount.fstype() == pb::OVERLAYFS ||
         mount.fstype() == pb::FUSE;
}

// Whether a restorer makes the file system itself: one that it knows by number or by name.
bool CanBeMade(const pb::mnt_entry& mount) {
  return mount.fstype() != pb::UNSUPPORTED && !IsUnionType(mount);
}

}  // namespace

bool IsExternal(const pb::mnt_entry& mount) { return mount.has_ext_key() || mount.ext_mount(); }

const DumpedMount* FindGivenRoot(const std::vector<DumpedMount>& mounts) {
  const auto is_root = [&](const DumpedMount& mount) {
    return mount.entry.mountpoint() == "/" &&
           std::ranges::none_of(mounts, [&](const DumpedMount& other) {
             return &other != &mount && other.entry.mnt_id() == mount.entry.parent_mnt_id();
           });
  };
  const auto root = std::ranges::find_if(mounts, is_root);
  return root == mounts.end() ? nullptr : &*root;
}

bool HasWiderMount(const DumpedMount& mount, const std::vector<DumpedMount>& mounts) {
  const DumpedMount* given = FindGivenRoot(mounts);
  return std::ranges::any_of(mounts, [&](const DumpedMount& other) {
    if (&other == &mount || !SameSuperblock(other.entry, mount.entry)) return false;
    if (!IsWithin(mount.entry.root(), other.entry.root())) return false;
    // Of two that show the same the first is the wider one, so that one of them is.
    return other.entry.root() != mount.entry.root() || &other < &mount || IsExternal(other.entry) ||
           &other == given;
  });
}

std::vector<const DumpedMount*> MountsThatNeedKeys(const std::vector<DumpedMount>& mounts) {
  const DumpedMount* given = FindGivenRoot(mounts);
  std::vector<const DumpedMount*> found;
  for (const DumpedMount& mount : mounts) {
    if (IsExternal(mount.entry) || &mount == given) continue;
    const bool is_whole = mount.entry.root() == "/";
    if (is_whole && CanBeMade(mount.entry)) continue;
    if (!HasWiderMount(mount, mounts)) found.push_back(&mount);
  }
  return found;
}

}  // namespace ckpt
