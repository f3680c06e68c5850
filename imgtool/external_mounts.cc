#include "imgtool/external_mounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "formats/image_type.h"

namespace ckpt {

const DumpedMount* FindGivenRoot(const std::vector<DumpedMount>& mounts) {
  std::unordered_map<uint32_t, const DumpedMount*> by_id;
  for (const DumpedMount& mount : mounts) by_id.try_emplace(mount.entry.mnt_id(), &mount);
  const auto root = std::ranges::find_if(mounts, [&](const DumpedMount& mount) {
    const auto parent = by_id.find(mount.entry.parent_mnt_id());
    return mount.entry.mountpoint() == "/" && (parent == by_id.end() || parent->second == &mount);
  });
  return root == mounts.end() ? nullptr : &*root;
}

std::vector<const DumpedMount*> MountsThatNeedKeys(const std::vector<DumpedMount>& mounts) {
  const DumpedMount* given = FindGivenRoot(mounts);
  MountedDirectories directories;
  for (const DumpedMount& mount : mounts) {
    directories.Add(mount.entry, IsExternal(mount.entry) || &mount == given);
  }
  std::vector<const DumpedMount*> found;
  for (const DumpedMount& mount : mounts) {
    if (IsExternal(mount.entry) || &mount == given) continue;
    if (mount.entry.root() == "/" && CanBeMade(mount.entry)) continue;
    if (!directories.HasWider(mount.entry)) found.push_back(&mount);
  }
  return found;
}

std::optional<uint64_t> FurtherNamespaceOf(const DumpedMount& mount,
                                           const std::vector<DumpedMount>& mounts) {
  if (mount.place.image == mounts.front().place.image) return std::nullopt;
  const auto image = FindImageTypeByFileName(mount.place.image);
  return image ? std::optional<uint64_t>(image->id) : std::nullopt;
}

std::string ExternalName(const DumpedMount& mount, const std::vector<DumpedMount>& mounts) {
  const auto further = FurtherNamespaceOf(mount, mounts);
  return further ? fmt::format("{}{}", *further, mount.entry.mountpoint())
                 : mount.entry.mountpoint();
}

}  // namespace ckpt
