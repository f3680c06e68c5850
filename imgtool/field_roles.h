// What the fields of all images mean to those who rewrite them: the one table of paths, devices,
// users and names that a dump holds.
#ifndef IMGTOOL_FIELD_ROLES_H_
#define IMGTOOL_FIELD_ROLES_H_

#include <cstddef>
#include <span>
#include <string_view>

namespace ckpt {

enum class FieldRole : unsigned char {
  kPath,         // absolute, in the mount namespace of the tasks
  kSocketName,   // of a unix socket: a path, or an abstract name behind a zero byte
  kWatchedPath,  // of a file handle or watch: may be relative to its mount
  kLinkText,     // what a symbolic link holds
  kHostPath,     // a directory of the host that the dump was taken on
  kMountRoot,    // a directory of the file system that is mounted
  kMountSource,  // a device, or a directory of the host
  kMountKey,     // of an external mount
  kMountOptions,
  kDevice,      // in the kernel's encoding, major << 20 | minor
  kUserDevice,  // in the encoding of makedev(3)
  kUserId,      // as the initial user namespace of the dump has it
  kGroupId,
  kHostName,
  kTaskName,
  kLabel,    // names that are no paths: devices, profiles, memory files
  kCgroup,   // a cgroup's path or a component of it
  kPayload,  // bytes that the tasks sent or typed
  kVector,   // registers that hold what the task computes with, a piece of its memory
  kAddress,  // of IP, in words
};

struct FieldRoleRow {
  std::string_view field;  // of the message: "reg_file_entry.name"
  FieldRole role;
};

// All rows, in the order of their fields.
std::span<const FieldRoleRow> FieldRoles();

// By the full name of its descriptor, "ckpt.pb.reg_file_entry.name". Null for a field that means
// nothing to a rewrite.
const FieldRoleRow* FindFieldRole(std::string_view full_name);

// What the kernel allows: PATH_MAX without the zero, sun_path. No limit but for paths and names.
inline constexpr size_t kMaxPathBytes = 4095;
inline constexpr size_t kMaxSocketNameBytes = 108;
size_t LimitOf(FieldRole role);

}  // namespace ckpt

#endif  // IMGTOOL_FIELD_ROLES_H_
