// What a fixup must know of union mounts (AUFS, overlayfs and their kind): where each is mounted in
// the task's namespace, and the directories, branches, that it stacks.
#ifndef IMGTOOL_BRANCH_MAP_H_
#define IMGTOOL_BRANCH_MAP_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ckpt {

enum class BranchPermission { kReadWrite, kReadOnly, kRealReadOnly };

// "rw", "ro", "rr".
std::string_view BranchPermissionName(BranchPermission permission);
std::optional<BranchPermission> FindBranchPermission(std::string_view name);

struct Branch {
  // As links of the dumped machine name it: absolute and normal (see NormalPath).
  std::string path;
  BranchPermission permission = BranchPermission::kReadWrite;
  std::vector<std::string> attributes;  // what follows the permission: "wh", "nolwh", ...
  // Where the content can be read on this machine; equal in form to `path`.
  std::optional<std::string> access_path;
  std::optional<uint64_t> device;  // st_dev of the directory on the dumped machine
  std::string origin;              // where it was said, for messages: "web.map:7"
};

// Whether a whiteout or an opaque mark in the branch hides what lies below: AUFS ignores them in
// plain ro and rr branches.
bool HonoursWhiteouts(const Branch& branch);

struct MapUnion {
  std::string id;
  std::string mountpoint;             // in the names that the dump's paths are written in
  bool mountpoint_is_sure = false;    // said for this dump, not taken over from a host's list
  std::string type;                   // "aufs", "overlay", or empty where it is not known
  std::optional<uint32_t> mnt_id;     // of the dumped machine
  std::optional<uint32_t> mnt_ns_id;  // the N of the dump's mountpoints-N.img
  std::string si;                     // AUFS's id of the superblock; empty where it is not known
  std::optional<uint32_t> device;     // of the superblock: major << 20 | minor
  std::vector<Branch> branches;       // topmost first
  std::string origin;
};

struct BranchMap {
  std::vector<MapUnion> unions;
};

// The mountpoint with `rest` ("" or "/x/y") below it.
std::string UnionPath(const MapUnion& mount, std::string_view rest);

// Whether `path` is `directory` or below it, by whole components.
bool IsWithin(std::string_view path, std::string_view directory);

// `path` without repeated and trailing slashes. kBadFormat when it is not absolute, has "." or ".."
// for a component, holds a NUL, or exceeds 4095 bytes, the longest path the kernel takes.
Result<std::string> NormalPath(std::string_view path);

// What makes a map unusable (kBadFormat): no union, a union without branches or with more than
// 32767 (the most an AUFS can have), an id, mountpoint or branch said twice, "/" as a branch.
Result<> CheckBranchMap(const BranchMap& map);

// What is legal and yet seldom meant: branches inside each other, several writable branches.
std::vector<std::string> BranchMapWarnings(const BranchMap& map);

}  // namespace ckpt

#endif  // IMGTOOL_BRANCH_MAP_H_
