#include "imgtool/mount_table.h"

#include <algorithm>
#include <utility>

#include "formats/check/mounted_directories.h"

namespace ckpt {

namespace {

// What follows `directory` in a path at or below it: "" or "/x/y".
std::string_view Below(std::string_view path, std::string_view directory) {
  if (directory == "/") return path == "/" ? std::string_view() : path;
  return path.substr(directory.size());
}

std::string Joined(std::string_view directory, std::string_view below) {
  if (below.empty()) return std::string(directory);
  return (directory == "/" ? "" : std::string(directory)) + std::string(below);
}

}  // namespace

bool SameSuperblock(const pb::mnt_entry& one, const pb::mnt_entry& other) {
  return one.root_dev() == other.root_dev() && one.fstype() == other.fstype();
}

std::string InnerPath(const pb::mnt_entry& mount, std::string_view name) {
  return Joined(mount.root(), Below(name, mount.mountpoint()));
}

void MountTable::AddNamespace(uint32_t mnt_ns_id, std::vector<DumpedMount> mounts) {
  namespaces_[mnt_ns_id] = std::move(mounts);
}

void MountTable::SetOrigin(uint32_t mnt_ns_id, pb::mnt_entry origin) {
  const auto mounts = namespaces_.find(mnt_ns_id);
  if (mounts == namespaces_.end()) return;
  const auto mount = std::ranges::find(mounts->second, origin.mnt_id(),
                                       [](const DumpedMount& one) { return one.entry.mnt_id(); });
  if (mount == mounts->second.end() || mount->is_repaired) return;
  mount->origin = std::move(origin);
  mount->is_repaired = true;
}

const std::vector<DumpedMount>& MountTable::Mounts(uint32_t mnt_ns_id) const {
  static const std::vector<DumpedMount> kNone;
  const auto found = namespaces_.find(mnt_ns_id);
  return found == namespaces_.end() ? kNone : found->second;
}

const DumpedMount* MountTable::Find(int64_t mnt_id) const {
  for (const auto& [id, mounts] : namespaces_) {
    for (const DumpedMount& mount : mounts) {
      if (mount.entry.mnt_id() == mnt_id) return &mount;
    }
  }
  return nullptr;
}

const DumpedMount* MountTable::MountUpon(uint32_t mnt_ns_id, const DumpedMount& lower) const {
  for (const DumpedMount& mount : Mounts(mnt_ns_id)) {
    const bool is_child = mount.entry.parent_mnt_id() == lower.entry.mnt_id() && &mount != &lower;
    if (is_child && mount.entry.mountpoint() == lower.entry.mountpoint()) return &mount;
  }
  return nullptr;
}

const DumpedMount* MountTable::Owner(uint32_t mnt_ns_id, std::string_view path) const {
  const std::vector<DumpedMount>& mounts = Mounts(mnt_ns_id);
  const DumpedMount* owner = nullptr;
  for (const DumpedMount& mount : mounts) {
    const std::string& mountpoint = mount.entry.mountpoint();
    if (!IsWithin(path, mountpoint)) continue;
    if (owner == nullptr || mountpoint.size() > owner->entry.mountpoint().size()) owner = &mount;
  }
  // The order of an image says nothing (CRIU writes mountinfo's backwards), the parents do. Their
  // number bounds the climb: a broken image may have a circle of them.
  for (size_t climbed = 0; owner != nullptr && climbed < mounts.size(); ++climbed) {
    const DumpedMount* upper = MountUpon(mnt_ns_id, *owner);
    if (upper == nullptr) break;
    owner = upper;
  }
  return owner;
}

std::optional<MountedName> MountTable::FindName(uint32_t mnt_ns_id, const DumpedMount& of,
                                                std::string_view inner) const {
  const auto name_at = [&](const DumpedMount& mount) -> std::optional<MountedName> {
    const std::string& root = mount.origin.root();
    if (!IsWithin(inner, root)) return std::nullopt;
    MountedName found{&mount, Joined(mount.entry.mountpoint(), Below(inner, root))};
    if (Owner(mnt_ns_id, found.name) != &mount) return std::nullopt;
    return found;
  };
  if (auto found = name_at(of)) return found;
  for (const DumpedMount& mount : Mounts(mnt_ns_id)) {
    if (!SameSuperblock(mount.origin, of.origin)) continue;
    if (auto found = name_at(mount)) return found;
  }
  return std::nullopt;
}

const DumpedMount* MountTable::FindUnion(uint32_t mnt_ns_id, const MapUnion& mount) const {
  if (mount.mnt_ns_id && *mount.mnt_ns_id != mnt_ns_id) return nullptr;
  const DumpedMount* found = nullptr;
  for (const DumpedMount& candidate : Mounts(mnt_ns_id)) {
    if (!CanBeUnion(candidate.origin)) continue;
    if (mount.mnt_id == candidate.entry.mnt_id()) return &candidate;
    if (!mount.mnt_id && candidate.entry.mountpoint() == mount.mountpoint) found = &candidate;
  }
  return found;
}

bool CanBeUnion(const pb::mnt_entry& mount) { return !CanBeMade(mount); }

}  // namespace ckpt
