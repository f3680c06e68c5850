#include "dumper/mount_entries.h"

#include <sys/mount.h>

#include <algorithm>
#include <iterator>

#include "formats/mount_options.h"

namespace ckpt {

namespace {

uint32_t PropagationFlags(const Mount& mount) {
  uint32_t flags = 0;
  if (mount.shared_group != 0) flags |= MS_SHARED;
  if (mount.master_group != 0) flags |= MS_SLAVE;
  if (mount.unbindable) flags |= MS_UNBINDABLE;
  return flags;
}

pb::mnt_entry BuildMountEntry(const Mount& mount) {
  const SplitOptions mount_options = SplitMountOptions(mount.mount_options);
  const SplitOptions super_options = SplitMountOptions(mount.super_options);
  pb::mnt_entry entry;
  entry.set_fstype(FstypeOf(mount.fstype));
  entry.set_mnt_id(static_cast<uint32_t>(mount.mnt_id));
  entry.set_root_dev(mount.dev_major << 20 | mount.dev_minor);
  entry.set_parent_mnt_id(static_cast<uint32_t>(mount.parent_mnt_id));
  entry.set_flags(mount_options.flags | PropagationFlags(mount));
  entry.set_root(mount.root);
  entry.set_mountpoint(mount.mountpoint);
  entry.set_source(mount.source);
  entry.set_options(super_options.rest);
  entry.set_shared_id(mount.shared_group);
  entry.set_master_id(mount.master_group);
  entry.set_sb_flags(super_options.flags);
  return entry;
}

}  // namespace

std::vector<pb::mnt_entry> BuildMountEntries(const std::vector<Mount>& mounts) {
  std::vector<pb::mnt_entry> entries;
  std::ranges::transform(mounts, std::back_inserter(entries), BuildMountEntry);
  return entries;
}

}  // namespace ckpt
