// The plan of a mount namespace: its mounts in the order in which they are made.
#ifndef RESTORER_MOUNT_PLAN_H_
#define RESTORER_MOUNT_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ckpt {

// What mounts are clones of: a directory or file of the restorer's, or a new superblock.
struct MountSourcePlan {
  enum class Kind { kRoot, kExternal, kNew };

  Kind kind = Kind::kRoot;
  std::string place = {};  // of a mount that shows it: "mountpoints-13.img: mount 70 at /tmp"
  std::string path = {};   // kExternal: in the restorer's mount namespace

  // kNew
  std::string fstype = {};
  std::string device = {};                                        // as mountinfo shows it
  std::vector<std::pair<std::string, std::string>> options = {};  // flags have an empty value
  bool read_only = false;                      // the superblock, once the content is there
  std::optional<uint64_t> content_image = {};  // id of the tmpfs-dev image
};

struct MountPlan {
  std::string place = {};
  uint32_t mnt_id = 0;              // of the dump
  size_t source = 0;                // in MountTreePlan::sources
  std::string path_in_source = {};  // relative; empty: all of it
  size_t parent = 0;                // in MountTreePlan::mounts; of the first, itself
  std::string mountpoint = {};      // from the root of the parent; empty: on top of that
  uint64_t attributes = 0;          // MOUNT_ATTR_*
  // Receives what the restorer's mount of its source receives from others.
  bool follows_outside = false;
};

// One change of the propagation of mounts that all begin as private ones.
struct PropagationStep {
  enum class Kind {
    kShare,   // gets a new peer group
    kJoin,    // becomes a peer of `other`, and follows what that follows
    kFollow,  // after kJoin: a slave of the peer group that it joined
    kUnbindable,
  };

  Kind kind = Kind::kShare;
  size_t mount = 0;
  size_t other = 0;

  bool operator==(const PropagationStep&) const = default;
};

struct MountTreePlan {
  std::vector<MountSourcePlan> sources;
  std::vector<MountPlan> mounts;  // the root first, parents before their children
  std::vector<PropagationStep> propagation;
  std::map<uint32_t, size_t> by_mnt_id;
  // By parent and mountpoint as MountPlan has it.
  std::map<std::pair<size_t, std::string>, size_t> children;

  // The mount on which a path, absolute and without symbolic links, ends.
  size_t FindMountOf(std::string_view path) const;
};

// Paths of the restorer by the keys of external mounts.
using ExternalMounts = std::map<std::string, std::string>;

}  // namespace ckpt

#endif  // RESTORER_MOUNT_PLAN_H_
