// The mounts that a dump's mountpoints images list, by mount namespace.
#ifndef IMGTOOL_MOUNT_TABLE_H_
#define IMGTOOL_MOUNT_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/proto/mounts.pb.h"
#include "imgtool/branch_map.h"
#include "imgtool/edit_plan.h"

namespace ckpt {

struct DumpedMount {
  DumpedMount(EntryPlace where, pb::mnt_entry what)
      : place(std::move(where)), entry(std::move(what)), origin(entry) {}

  EntryPlace place;
  pb::mnt_entry entry;
  // The entry before the first fixup, which took options and devices out of it that tell mounts
  // apart: what a mount is a mount of shows in here only.
  pb::mnt_entry origin;
  bool is_repaired = false;  // the dump says that a fixup changed the entry
};

// A name that leads through a mount of a namespace.
struct MountedName {
  const DumpedMount* mount = nullptr;
  std::string name;
};

// Whether both are mounts of one file system; bind mounts are.
bool SameSuperblock(const pb::mnt_entry& one, const pb::mnt_entry& other);

// What is at `name`, which is at or below the mountpoint, within the mount's file system.
std::string InnerPath(const pb::mnt_entry& mount, std::string_view name);

class MountTable {
 public:
  // `mnt_ns_id` is the N of mountpoints-N.img; a namespace without mounts is one all the same.
  void AddNamespace(uint32_t mnt_ns_id, std::vector<DumpedMount> mounts);

  // That the mount with the id of `origin` was such before a fixup changed it. A mount that the
  // namespace does not have is nothing to know of.
  void SetOrigin(uint32_t mnt_ns_id, pb::mnt_entry origin);

  // No mount namespace is in the dump: its tasks live in the restorer's.
  bool empty() const { return namespaces_.empty(); }
  const std::map<uint32_t, std::vector<DumpedMount>>& namespaces() const { return namespaces_; }

  // A mount with that id, of any namespace.
  const DumpedMount* Find(int64_t mnt_id) const;

  // The mount that a path of the namespace leads to: the one with the longest mountpoint, of those
  // mounted upon each other the uppermost. Null when the namespace has none for it.
  const DumpedMount* Owner(uint32_t mnt_ns_id, std::string_view path) const;

  // How the namespace calls the file that is `inner` ("/" or "/x/y") in the superblock of `of`: by
  // the mount `of` where that leads to the file, else by another mount of the superblock. Nothing
  // where other mounts cover all of them.
  std::optional<MountedName> FindName(uint32_t mnt_ns_id, const DumpedMount& of,
                                      std::string_view inner) const;

  // The mount in the namespace that a map describes: by id where the map has one, else by
  // mountpoint, and only a file system that can be a union.
  const DumpedMount* FindUnion(uint32_t mnt_ns_id, const MapUnion& mount) const;

 private:
  const std::vector<DumpedMount>& Mounts(uint32_t mnt_ns_id) const;
  const DumpedMount* MountUpon(uint32_t mnt_ns_id, const DumpedMount& lower) const;

  std::map<uint32_t, std::vector<DumpedMount>> namespaces_;
};

// AUFS, overlayfs, FUSE, or a file system that the dumper did not know by number: none that a
// restorer makes.
bool CanBeUnion(const pb::mnt_entry& mount);

}  // namespace ckpt

#endif  // IMGTOOL_MOUNT_TABLE_H_
