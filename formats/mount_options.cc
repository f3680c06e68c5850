#include "formats/mount_options.h"

#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <utility>

namespace ckpt {

namespace {

struct OptionFlag {
  std::string_view name;
  uint32_t flag;
};

// Options of mount(2) flags in /proc/PID/mountinfo: show_mnt_opts and show_sb_opts in
// fs/proc_namespace.c. "rw" is no flag.
constexpr std::array<OptionFlag, 13> kOptionFlags = {{
    {"rw", 0},
    {"ro", MS_RDONLY},
    {"nosuid", MS_NOSUID},
    {"nodev", MS_NODEV},
    {"noexec", MS_NOEXEC},
    {"noatime", MS_NOATIME},
    {"nodiratime", MS_NODIRATIME},
    {"relatime", MS_RELATIME},
    {"nosymfollow", 256 /* MS_NOSYMFOLLOW, 5.10 */},
    {"sync", MS_SYNCHRONOUS},
    {"dirsync", MS_DIRSYNC},
    {"mand", MS_MANDLOCK},
    {"lazytime", MS_LAZYTIME},
}};

constexpr std::array<std::pair<std::string_view, pb::fstype>, 18> kFstypes = {{
    {"proc", pb::PROC},
    {"sysfs", pb::SYSFS},
    {"devtmpfs", pb::DEVTMPFS},
    {"binfmt_misc", pb::BINFMT_MISC},
    {"tmpfs", pb::TMPFS},
    {"devpts", pb::DEVPTS},
    {"pstore", pb::PSTORE},
    {"securityfs", pb::SECURITYFS},
    {"fusectl", pb::FUSECTL},
    {"debugfs", pb::DEBUGFS},
    {"tracefs", pb::TRACEFS},
    {"cgroup", pb::CGROUP},
    {"cgroup2", pb::CGROUP2},
    {"aufs", pb::AUFS},
    {"mqueue", pb::MQUEUE},
    {"fuse", pb::FUSE},
    {"overlay", pb::OVERLAYFS},
    {"autofs", pb::AUTOFS},
}};

}  // namespace

SplitOptions SplitMountOptions(std::string_view options) {
  SplitOptions split;
  while (!options.empty()) {
    const std::string_view option = options.substr(0, options.find(','));
    options.remove_prefix(std::min(options.size(), option.size() + 1));
    const auto* const found = std::ranges::find(kOptionFlags, option, &OptionFlag::name);
    if (found != kOptionFlags.end()) {
      split.flags |= found->flag;
    } else {
      split.rest += split.rest.empty() ? "" : ",";
      split.rest += option;
    }
  }
  return split;
}

pb::fstype FstypeOf(std::string_view name) {
  if (name.starts_with("fuse.")) return pb::FUSE;
  const auto* const found =
      std::ranges::find(kFstypes, name, [](const auto& row) { return row.first; });
  return found == kFstypes.end() ? pb::UNSUPPORTED : found->second;
}

}  // namespace ckpt
