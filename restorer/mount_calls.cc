#include "restorer/mount_calls.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace ckpt {

namespace {

constexpr uint64_t kAllAttributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                    MOUNT_ATTR_NOEXEC | MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME |
                                    MOUNT_ATTR_NOSYMFOLLOW;

}  // namespace

Result<UniqueFd> OpenOnMount(std::string_view place, int directory, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
  const long fd =
      syscall(SYS_openat2, directory, path.empty() ? "." : path.c_str(), &how, sizeof(how));
  const int saved = errno;
  if (fd < 0) return ErrnoError(saved, "{}: {}", place, path);
  return UniqueFd(static_cast<int>(fd));
}

Result<UniqueFd> CloneMount(std::string_view place, int file) {
  UniqueFd mount(open_tree(file, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
  const int saved = errno;
  if (!mount.valid()) return ErrnoError(saved, "{}: open_tree(OPEN_TREE_CLONE)", place);
  return mount;
}

Result<> AttachMount(std::string_view place, int mount, int file) {
  if (move_mount(mount, "", file, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0) {
    return success();
  }
  const int saved = errno;
  return ErrnoError(saved, "{}: move_mount", place);
}

Result<> SetMount(std::string_view place, int mount, uint64_t attributes, uint64_t propagation) {
  mount_attr change{};
  change.attr_set = attributes;
  change.attr_clr = kAllAttributes;
  change.propagation = propagation;
  if (mount_setattr(mount, "", AT_EMPTY_PATH, &change, sizeof(change)) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "{}: mount_setattr(attributes {:#x}, propagation {:#x})", place,
                    attributes, propagation);
}

Result<> SetPropagation(std::string_view place, int mount, uint64_t propagation) {
  mount_attr change{};
  change.propagation = propagation;
  if (mount_setattr(mount, "", AT_EMPTY_PATH, &change, sizeof(change)) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "{}: mount_setattr(propagation {:#x})", place, propagation);
}

Result<> JoinPeers(std::string_view place, int mount, int other) {
  constexpr unsigned kFlags =
      MOVE_MOUNT_SET_GROUP | MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  if (move_mount(other, "", mount, "", kFlags) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "{}: move_mount(MOVE_MOUNT_SET_GROUP)", place);
}

}  // namespace ckpt
