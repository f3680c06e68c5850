#include "imgtool/mount_reference.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "formats/proto/mounts.pb.h"
#include "imgtool/mountinfo_line.h"

namespace ckpt {

namespace {

// show_mnt_opts and show_sb_opts in the kernel's fs/proc_namespace.c.
constexpr std::array<std::string_view, 13> kFlagOptions{
    "rw",       "ro",          "nosuid", "nodev",   "noexec", "noatime", "nodiratime",
    "relatime", "nosymfollow", "sync",   "dirsync", "mand",   "lazytime"};

constexpr std::array<std::pair<std::string_view, pb::fstype>, 18> kFstypes{{
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

Result<uint64_t> MountIdOfFile(const std::string& path) {
  struct statx status {};
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "statx(\"{}\", STATX_MNT_ID)", path);
  }
  return status.stx_mnt_id;
}

Result<MountLine> LineOfFile(const std::string& path) {
  CKPT_TRY(const uint64_t mnt_id, MountIdOfFile(path));
  CKPT_TRY(const std::string text, ReadWholeFile("/proc/self/mountinfo"));
  for (std::string_view left = text; !left.empty();) {
    const std::string_view line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(line.size() + 1, left.size()));
    CKPT_TRY(MountLine mount, ParseMountLine(line));
    if (mount.mnt_id == mnt_id) return mount;
  }
  return MakeError(ErrorCode::kNotFound, "{}: its mount {} is not in /proc/self/mountinfo", path,
                   mnt_id);
}

}  // namespace

uint32_t FstypeNumber(std::string_view name) {
  if (name.starts_with("fuse.")) return pb::FUSE;
  for (const auto& [known, number] : kFstypes) {
    if (known == name) return number;
  }
  return pb::UNSUPPORTED;
}

std::string WithoutFlagOptions(std::string_view options) {
  std::string kept;
  while (!options.empty()) {
    const std::string_view option = options.substr(0, options.find(','));
    options.remove_prefix(std::min(option.size() + 1, options.size()));
    if (std::ranges::find(kFlagOptions, option) != kFlagOptions.end()) continue;
    if (!kept.empty()) kept += ',';
    kept += option;
  }
  return kept;
}

Result<MountReference> FindMountReference(const std::string& file_or_line) {
  const bool is_line = file_or_line.find(' ') != std::string::npos;
  CKPT_TRY(const MountLine line, is_line ? ParseMountLine(file_or_line) : LineOfFile(file_or_line));
  if (!line.mnt_id) {
    return MakeError(ErrorCode::kUsage,
                     "a line of /proc/mounts has no device; give one of mountinfo, or a file");
  }
  return MountReference{.origin = is_line ? "the given line of mountinfo" : file_or_line,
                        .device = line.device,
                        .fstype = FstypeNumber(line.fstype),
                        .source = line.source,
                        .options = WithoutFlagOptions(line.options)};
}

}  // namespace ckpt
