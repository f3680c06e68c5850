#include "tests/harness/mounts_snapshot.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "process/mountinfo.h"
#include "process/namespace_mounts.h"

namespace ckpt {
namespace {

// Small numbers in the order of the first request for each.
template <typename Key>
class Numbering {
 public:
  size_t Of(const Key& key) { return numbers_.try_emplace(key, numbers_.size() + 1).first->second; }

 private:
  std::map<Key, size_t> numbers_;
};

std::string Line(const Mount& mount, Numbering<int32_t>& ids, Numbering<uint32_t>& groups,
                 Numbering<std::pair<uint32_t, uint32_t>>& devices) {
  std::string line = fmt::format("mount {} {} ", ids.Of(mount.mnt_id), ids.Of(mount.parent_mnt_id));
  const bool anonymous = mount.dev_major == 0;
  line += anonymous ? fmt::format("device {}", devices.Of({0, mount.dev_minor}))
                    : fmt::format("{}:{}", mount.dev_major, mount.dev_minor);
  line += fmt::format(" {} {} {}", mount.root, mount.mountpoint, mount.mount_options);
  if (mount.shared_group != 0) line += fmt::format(" shared:{}", groups.Of(mount.shared_group));
  if (mount.master_group != 0) line += fmt::format(" master:{}", groups.Of(mount.master_group));
  if (mount.unbindable) line += " unbindable";
  return line + fmt::format(" - {} {} {}\n", mount.fstype, mount.source, mount.super_options);
}

std::string Normalise(std::vector<Mount> mounts) {
  std::ranges::stable_sort(mounts, {}, &Mount::mountpoint);
  Numbering<int32_t> ids;
  Numbering<uint32_t> groups;
  Numbering<std::pair<uint32_t, uint32_t>> devices;
  for (const Mount& mount : mounts) ids.Of(mount.mnt_id);
  std::string lines;
  for (const Mount& mount : mounts) lines += Line(mount, ids, groups, devices);
  return lines;
}

}  // namespace

Result<std::string> NormaliseMountinfo(std::string_view text) {
  CKPT_TRY(std::vector<Mount> mounts, ParseMountinfo(text));
  return Normalise(std::move(mounts));
}

Result<std::string> MountsSnapshotOf(pid_t pid) {
  CKPT_TRY(std::vector<Mount> mounts, ReadNamespaceMounts(pid, FallbackKernelFeatures()));
  return Normalise(std::move(mounts));
}

}  // namespace ckpt
