#include "dumper/cgroup_directory.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

// Documentation/admin-guide/cgroup-v1 of Linux, in the order in which a restorer can write them: a
// limit before one that it bounds. Not those that only tell of use.
constexpr std::array<std::string_view, 37> kVersion1 = {
    "cpu.shares",
    "cpu.cfs_period_us",
    "cpu.cfs_quota_us",
    "cpu.rt_period_us",
    "cpu.rt_runtime_us",
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "memory.swappiness",
    "memory.soft_limit_in_bytes",
    "memory.move_charge_at_immigrate",
    "memory.oom_control",
    "memory.use_hierarchy",
    "memory.kmem.limit_in_bytes",
    "memory.kmem.tcp.limit_in_bytes",
    "cpuset.cpus",
    "cpuset.mems",
    "cpuset.memory_migrate",
    "cpuset.cpu_exclusive",
    "cpuset.mem_exclusive",
    "cpuset.mem_hardwall",
    "cpuset.memory_spread_page",
    "cpuset.memory_spread_slab",
    "cpuset.sched_load_balance",
    "cpuset.sched_relax_domain_level",
    "blkio.weight",
    "pids.max",
    "devices.list",
    "net_cls.classid",
    "net_prio.ifpriomap",
    "hugetlb.2MB.limit_in_bytes",
    "hugetlb.1GB.limit_in_bytes",
    "rdma.max",
    "misc.max",
    "cgroup.clone_children",
    "notify_on_release",
    "cgroup.procs",
    "tasks",
};

// Documentation/admin-guide/cgroup-v2.rst.
constexpr std::array<std::string_view, 25> kVersion2 = {
    "cgroup.type",
    "cgroup.subtree_control",
    "cgroup.max.descendants",
    "cgroup.max.depth",
    "cpu.weight",
    "cpu.max",
    "cpu.max.burst",
    "cpu.idle",
    "memory.min",
    "memory.low",
    "memory.high",
    "memory.max",
    "memory.oom.group",
    "memory.swap.high",
    "memory.swap.max",
    "memory.zswap.max",
    "io.max",
    "io.weight",
    "hugetlb.2MB.max",
    "hugetlb.1GB.max",
    "rdma.max",
    "misc.max",
    "pids.max",
    "cpuset.cpus",
    "cpuset.mems",
};

bool ListsProcesses(std::string_view name) { return name == "cgroup.procs" || name == "tasks"; }

Result<struct stat> Stat(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return ErrnoError(errno, "stat(\"{}\")", path);
  return status;
}

void FillPermissions(const struct stat& status, pb::cgroup_perms& permissions) {
  permissions.set_mode(status.st_mode);
  permissions.set_uid(status.st_uid);
  permissions.set_gid(status.st_gid);
}

// As it can be written back: the file of memory.oom_control has a line for each of several facts,
// and takes the first.
std::string Writable(std::string_view name, std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (name != "memory.oom_control") return std::string(text);
  TextScanner scanner(text);
  static_cast<void>(scanner.Skip("oom_kill_disable "));
  return std::string(scanner.ReadLine());
}

Result<> AddProperty(const std::string& directory, std::string_view name,
                     pb::cgroup_dir_entry& entry) {
  const std::string path = fmt::format("{}/{}", directory, name);
  const Result<struct stat> status = Stat(path);
  if (status.has_error() && status.error().code == ErrorCode::kNotFound) return success();
  CKPT_TRY(const struct stat found, status);
  std::string value;
  if (!ListsProcesses(name)) {
    const Result<std::string> text = ReadWholeFile(path);
    // Some can be read only while a feature of the kernel is on.
    if (text.has_error()) return success();
    value = Writable(name, text.value());
  }
  pb::cgroup_prop_entry& property = *entry.add_properties();
  property.set_name(std::string(name));
  property.set_value(value);
  FillPermissions(found, *property.mutable_perms());
  return success();
}

Result<std::vector<std::string>> ListGroups(const std::string& directory) {
  std::vector<std::string> groups;
  CKPT_TRY(const std::vector<std::string> names, ListDirectory(directory));
  for (const std::string& name : names) {
    const Result<struct stat> status = Stat(fmt::format("{}/{}", directory, name));
    // A group may go at any time.
    if (status.has_value() && S_ISDIR(status.value().st_mode)) groups.push_back(name);
  }
  return groups;
}

Result<pb::cgroup_dir_entry> ReadBare(const std::string& directory, std::string_view name) {
  pb::cgroup_dir_entry entry;
  entry.set_dir_name(std::string(name));
  CKPT_TRY(const struct stat status, Stat(directory));
  FillPermissions(status, *entry.mutable_dir_perms());
  return entry;
}

class Reader {
 public:
  explicit Reader(bool is_version_2)
      : properties_(is_version_2 ? std::span<const std::string_view>(kVersion2)
                                 : std::span<const std::string_view>(kVersion1)) {}

  Result<pb::cgroup_dir_entry> Read(const std::string& directory, std::string_view name,
                                    bool recursively) const {
    CKPT_TRY(pb::cgroup_dir_entry entry, ReadBare(directory, name));
    for (const std::string_view property : properties_) {
      CKPT_TRY(AddProperty(directory, property, entry));
    }
    if (!recursively) return entry;
    CKPT_TRY(const std::vector<std::string> groups, ListGroups(directory));
    for (const std::string& group : groups) {
      CKPT_TRY(*entry.add_children(),
               Read(fmt::format("{}/{}", directory, group), group, recursively));
    }
    return entry;
  }

 private:
  std::span<const std::string_view> properties_;
};

}  // namespace

Result<pb::cgroup_dir_entry> ReadCgroupDirectory(const std::string& hierarchy,
                                                 const std::string& path, bool is_version_2) {
  const bool is_root = path == "/";
  return Reader(is_version_2)
      .Read(is_root ? hierarchy : hierarchy + path, path.substr(1), !is_root);
}

Result<pb::cgroup_dir_entry> ReadBareCgroupDirectory(const std::string& hierarchy,
                                                     const std::string& path) {
  return ReadBare(hierarchy + path, path.substr(1));
}

}  // namespace ckpt
