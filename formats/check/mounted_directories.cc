#include "formats/check/mounted_directories.h"

#include <algorithm>

namespace ckpt {

bool IsExternal(const pb::mnt_entry& mount) { return mount.has_ext_key() || mount.ext_mount(); }

bool IsUnionType(const pb::mnt_entry& mount) {
  return mount.fstype() == pb::AUFS || mount.fstype() == pb::OVERLAYFS ||
         mount.fstype() == pb::FUSE;
}

bool CanBeMade(const pb::mnt_entry& mount) {
  return mount.fstype() != pb::UNSUPPORTED && !IsUnionType(mount);
}

void MountedDirectories::Add(const pb::mnt_entry& mount, bool is_given) {
  Directory& directory = by_superblock_[{mount.root_dev(), mount.fstype()}][mount.root()];
  if (directory.first == nullptr) directory.first = &mount;
  directory.is_given = directory.is_given || is_given;
}

bool MountedDirectories::HasWider(const pb::mnt_entry& mount) const {
  const auto& directories = by_superblock_.at({mount.root_dev(), mount.fstype()});
  std::string path = mount.root();
  const Directory& own = directories.at(path);
  if (own.is_given || own.first != &mount) return true;
  while (path.size() > 1 && path[0] == '/') {
    path.resize(std::max<size_t>(path.rfind('/'), 1));
    if (directories.contains(path)) return true;
  }
  return false;
}

}  // namespace ckpt
