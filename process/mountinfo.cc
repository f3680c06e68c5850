#include "process/mountinfo.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "process/escapes.h"
#include "process/proc_file.h"
#include "process/statmount.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

template <typename Number>
bool ReadNumber(TextScanner& scanner, char after, Number& number) {
  const auto read = scanner.ReadDecimal();
  if (!read || !std::in_range<Number>(*read) || !scanner.Skip(after)) return false;
  number = static_cast<Number>(*read);
  return true;
}

bool ReadGroup(TextScanner scanner, uint32_t& group) {
  const auto read = scanner.ReadDecimal();
  group = static_cast<uint32_t>(read.value_or(0));
  return read && *read <= UINT32_MAX && scanner.AtEnd();
}

bool ReadOptionalField(std::string_view field, Mount& mount) {
  TextScanner scanner(field);
  if (scanner.Skip("shared:")) return ReadGroup(scanner, mount.shared_group);
  if (scanner.Skip("master:")) return ReadGroup(scanner, mount.master_group);
  if (scanner.Skip("propagate_from:")) return ReadGroup(scanner, mount.propagate_from);
  if (field == "unbindable") mount.unbindable = true;
  return true;
}

// Up to and with the "-" that ends them.
bool ReadOptionalFields(TextScanner& scanner, Mount& mount) {
  while (!scanner.AtEnd()) {
    const std::string_view field = scanner.ReadUntil(' ');
    if (field == "-") return true;
    if (!ReadOptionalField(field, mount)) return false;
  }
  return false;
}

bool ParseMount(std::string_view line, Mount& mount) {
  TextScanner scanner(line);
  if (!ReadNumber(scanner, ' ', mount.mnt_id) || !ReadNumber(scanner, ' ', mount.parent_mnt_id) ||
      !ReadNumber(scanner, ':', mount.dev_major) || !ReadNumber(scanner, ' ', mount.dev_minor)) {
    return false;
  }
  mount.root = UnescapeOctal(scanner.ReadUntil(' '));
  mount.mountpoint = UnescapeOctal(scanner.ReadUntil(' '));
  mount.mount_options = scanner.ReadUntil(' ');
  if (!ReadOptionalFields(scanner, mount)) return false;
  mount.fstype = UnescapeOctal(scanner.ReadUntil(' '));
  mount.source = UnescapeOctal(scanner.ReadUntil(' '));
  mount.super_options = scanner.rest();
  return !mount.fstype.empty() && !mount.super_options.empty();
}

struct OptionName {
  uint64_t bit;
  std::string_view name;
};

void AppendOptions(std::string& options, uint64_t bits, std::span<const OptionName> names) {
  for (const auto& [bit, name] : names) {
    if ((bits & bit) != 0) options.append(",").append(name);
  }
}

// Source: show_mnt_opts in fs/proc_namespace.c, in its order.
std::string MountOptionsOf(uint64_t attributes) {
  constexpr uint64_t kNoSymlinkFollow = 0x200000;  // MOUNT_ATTR_NOSYMFOLLOW, 5.14
  constexpr std::array<OptionName, 5> kBeforeRelatime = {{{MOUNT_ATTR_NOSUID, "nosuid"},
                                                          {MOUNT_ATTR_NODEV, "nodev"},
                                                          {MOUNT_ATTR_NOEXEC, "noexec"},
                                                          {MOUNT_ATTR_NOATIME, "noatime"},
                                                          {MOUNT_ATTR_NODIRATIME, "nodiratime"}}};
  constexpr std::array<OptionName, 2> kAfterRelatime = {
      {{kNoSymlinkFollow, "nosymfollow"}, {MOUNT_ATTR_IDMAP, "idmapped"}}};
  std::string options = (attributes & MOUNT_ATTR_RDONLY) != 0 ? "ro" : "rw";
  AppendOptions(options, attributes, kBeforeRelatime);
  if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_RELATIME) options += ",relatime";
  AppendOptions(options, attributes, kAfterRelatime);
  return options;
}

// Source: show_sb_opts in fs/proc_namespace.c.
std::string SuperOptionsOf(const MountStat& stat) {
  constexpr std::array<OptionName, 3> kNames = {
      {{MS_SYNCHRONOUS, "sync"}, {MS_DIRSYNC, "dirsync"}, {MS_LAZYTIME, "lazytime"}}};
  std::string options = (stat.sb_flags & MS_RDONLY) != 0 ? "ro" : "rw";
  AppendOptions(options, stat.sb_flags, kNames);
  if (!stat.options.empty()) options.append(",").append(stat.options);
  return options;
}

Mount ToMount(const MountStat& stat) {
  Mount mount;
  mount.mnt_id = static_cast<int32_t>(stat.mnt_id_old);
  mount.parent_mnt_id = static_cast<int32_t>(stat.parent_id_old);
  mount.dev_major = stat.dev_major;
  mount.dev_minor = stat.dev_minor;
  mount.root = stat.root;
  mount.mountpoint = stat.mountpoint;
  mount.mount_options = MountOptionsOf(stat.attributes);
  if ((stat.propagation & MS_SHARED) != 0) {
    mount.shared_group = static_cast<uint32_t>(stat.peer_group);
  }
  if ((stat.propagation & MS_SLAVE) != 0) {
    mount.master_group = static_cast<uint32_t>(stat.master_group);
  }
  if (stat.propagate_from != stat.master_group) {
    mount.propagate_from = static_cast<uint32_t>(stat.propagate_from);
  }
  mount.unbindable = (stat.propagation & MS_UNBINDABLE) != 0;
  mount.fstype = stat.fstype;
  if (!stat.fs_subtype.empty()) mount.fstype.append(".").append(stat.fs_subtype);
  mount.source = stat.source;
  mount.super_options = SuperOptionsOf(stat);
  return mount;
}

// The unique id of the mount whose root is the root directory of the process; 0 where that
// directory is no root of a mount.
Result<uint64_t> RootMountId(pid_t pid) {
  constexpr unsigned kUniqueMountId = 0x4000;  // STATX_MNT_ID_UNIQUE, 6.8
  const std::string path = fmt::format("/proc/{}/root", pid);
  struct statx status {};
  const int result = statx(AT_FDCWD, path.c_str(), AT_NO_AUTOMOUNT, kUniqueMountId, &status);
  const int saved = errno;
  if (result != 0) return ErrnoError(saved, "statx(\"{}\")", path);
  const bool is_root = (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  return is_root && (status.stx_mask & kUniqueMountId) != 0 ? status.stx_mnt_id : 0;
}

// Whether paths that start at the root of the namespace also start at the process's root: its mount
// must be the only one at "/".
bool StartAt(uint64_t root_mnt_id, const std::vector<MountStat>& stats) {
  return std::ranges::all_of(stats, [root_mnt_id](const MountStat& stat) {
    return (stat.mountpoint == "/") == (stat.mnt_id == root_mnt_id);
  });
}

Result<bool> MayMisreadGroups(uint64_t namespace_id, const std::vector<MountStat>& stats) {
  CKPT_TRY(const uint64_t own_namespace, MountNamespaceId(getpid()));
  const bool has_slave = std::ranges::any_of(
      stats, [](const MountStat& stat) { return (stat.propagation & MS_SLAVE) != 0; });
  return has_slave && namespace_id != own_namespace;
}

}  // namespace

Result<std::vector<Mount>> ParseMountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  TextScanner scanner(text);
  while (!scanner.AtEnd()) {
    const std::string_view line = scanner.ReadLine();
    if (ParseMount(line, mounts.emplace_back())) continue;
    return MakeError(ErrorCode::kBadFormat,
                     "line {}: found \"{}\", expected \"id parent major:minor root mountpoint "
                     "options [fields] - fstype source options\"",
                     mounts.size(), line);
  }
  return mounts;
}

Result<std::optional<std::vector<Mount>>> QueryMounts(pid_t pid) {
  CKPT_TRY(const uint64_t root_mnt_id, RootMountId(pid));
  CKPT_TRY(const uint64_t namespace_id, MountNamespaceId(pid));
  CKPT_TRY(const std::vector<uint64_t> ids, ListMounts(namespace_id));
  std::vector<MountStat> stats;
  for (const uint64_t id : ids) {
    CKPT_TRY(MountStat stat, StatMount(namespace_id, id));
    stats.push_back(std::move(stat));
  }
  CKPT_TRY(const bool misread, MayMisreadGroups(namespace_id, stats));
  if (misread || !StartAt(root_mnt_id, stats)) return std::optional<std::vector<Mount>>();
  std::vector<Mount> mounts;
  std::ranges::transform(stats, std::back_inserter(mounts), ToMount);
  return std::optional(std::move(mounts));
}

Result<std::vector<Mount>> ReadMounts(pid_t pid, const KernelFeatures& features) {
  if (features.statmount) {
    auto mounts = QueryMounts(pid);
    if (mounts.has_value() && mounts.value()) return *std::move(mounts).value();
  }
  return ReadProcFile(fmt::format("/proc/{}/mountinfo", pid), ParseMountinfo);
}

}  // namespace ckpt
