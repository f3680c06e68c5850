#include "dumper/cgroups.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "dumper/cgroup_directory.h"
#include "process/proc_file.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

bool IsBelow(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

// Without those that lie in others: a group is looked at with all below it.
std::set<std::string> Topmost(const std::set<std::string>& paths) {
  std::set<std::string> topmost;
  for (const std::string& path : paths) {
    const bool is_below = std::ranges::any_of(
        topmost, [&](const std::string& other) { return IsBelow(path, other); });
    if (!is_below) topmost.insert(path);
  }
  return topmost;
}

void AddNames(const std::string& name, pb::cg_controller_entry& controller) {
  for (size_t start = 0; start <= name.size();) {
    const size_t end = std::min(name.find(',', start), name.size());
    controller.add_cnames(name.substr(start, end - start));
    start = end + 1;
  }
}

class Collector {
 public:
  Collector(CgroupMode mode, const std::vector<Mount>& mounts) : mode_(mode), mounts_(mounts) {}

  // `text` is what /proc has of `process`.
  Result<uint32_t> AddText(const std::string& process, std::string_view text) {
    Result<CgroupSet> set = ParseCgroupSet(text);
    if (set.has_error()) return std::move(set).error().In(fmt::format("/proc/{}/cgroup", process));
    return Add(set.value());
  }

  // The sets get their numbers in the order in which they come first; the dumper's is the first.
  uint32_t Add(const CgroupSet& set) {
    if (sets_.empty()) {
      for (const CgroupMember& member : set) dumpers_[member.name] = member.path;
    }
    const auto [place, added] =
        sets_.try_emplace(set, static_cast<uint32_t>(sets_.size()) + kDumperCgroupSet);
    return place->second;
  }

  Result<std::optional<pb::cgroup_entry>> Build() const {
    if (sets_.size() <= 1) return std::optional<pb::cgroup_entry>();
    pb::cgroup_entry entry;
    std::map<std::string, std::set<std::string>> paths;  // by hierarchy
    for (const auto& [set, id] : sets_) {
      if (id != kDumperCgroupSet) AddSet(set, id, entry, paths);
    }
    for (const auto& [name, of_name] : paths) {
      CKPT_TRY(AddController(name, of_name, *entry.add_controllers()));
    }
    return std::optional(std::move(entry));
  }

 private:
  static void AddSet(const CgroupSet& set, uint32_t id, pb::cgroup_entry& entry,
                     std::map<std::string, std::set<std::string>>& paths) {
    pb::cg_set_entry& added = *entry.add_sets();
    added.set_id(id);
    for (const CgroupMember& member : set) {
      pb::cg_member_entry& group = *added.add_ctls();
      group.set_name(member.name);
      group.set_path(member.path);
      paths[member.name].insert(member.path);
    }
  }

  Result<> AddController(const std::string& name, std::set<std::string> paths,
                         pb::cg_controller_entry& controller) const {
    AddNames(name, controller);
    const auto hierarchy = FindHierarchy(name, mounts_);
    const bool is_looked_at = mode_ == CgroupMode::kProperties && hierarchy.has_value();
    // Threads of a process can be in different groups of version 1.
    controller.set_is_threaded(is_looked_at && !name.empty());
    if (!is_looked_at) return success();
    // The dumper's own group is not the tree's: others may be in it and below it.
    const auto own = dumpers_.find(name);
    if (own != dumpers_.end() && own->second != "/" && paths.erase(own->second) != 0) {
      CKPT_TRY(*controller.add_dirs(), ReadBareCgroupDirectory(*hierarchy, own->second));
    }
    for (const std::string& path : Topmost(paths)) {
      CKPT_TRY(*controller.add_dirs(), ReadCgroupDirectory(*hierarchy, path, name.empty()));
    }
    return success();
  }

  CgroupMode mode_;
  const std::vector<Mount>& mounts_;
  std::map<CgroupSet, uint32_t> sets_;
  std::map<std::string, std::string> dumpers_;  // its path in each hierarchy
};

// `leaders` is the text of the first thread's file.
Result<> FindStrays(pid_t pid, std::string_view leaders, std::vector<StrayThread>& strays) {
  const std::string tasks = fmt::format("/proc/{}/task", pid);
  CKPT_TRY(const std::vector<int> tids, ListNumbers(tasks));
  for (const pid_t tid : tids) {
    if (tid == pid) continue;
    CKPT_TRY(const std::string text, ReadWholeFile(fmt::format("{}/{}/cgroup", tasks, tid)));
    if (text != leaders) strays.push_back({.pid = pid, .tid = tid});
  }
  return success();
}

}  // namespace

Result<CgroupSet> ParseCgroupSet(std::string_view text) {
  CgroupSet set;
  TextScanner scanner(text);
  while (!scanner.AtEnd()) {
    const std::string_view line = scanner.ReadLine();
    TextScanner parts(line);
    const auto hierarchy = parts.ReadDecimal();
    const bool separated = hierarchy.has_value() && parts.Skip(':');
    const size_t end = parts.rest().find(":/");
    if (!separated || end == std::string_view::npos) {
      return MakeError(ErrorCode::kBadFormat,
                       "line {}: found \"{}\", expected \"number:controllers:path\"",
                       set.size() + 1, line);
    }
    set.push_back(
        {std::string(parts.rest().substr(0, end)), std::string(parts.rest().substr(end + 1))});
  }
  std::ranges::sort(set);
  return set;
}

bool IsListed(std::string_view wanted, std::string_view list) {
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    if (name == wanted) return true;
    list.remove_prefix(std::min(list.size(), name.size() + 1));
  }
  return false;
}

std::optional<std::string> FindHierarchy(const std::string& name,
                                         const std::vector<Mount>& mounts) {
  const std::string first = name.substr(0, name.find(','));
  for (const Mount& mount : mounts) {
    if (mount.root != "/") continue;
    if (name.empty() ? mount.fstype == "cgroup2"
                     : mount.fstype == "cgroup" && IsListed(first, mount.super_options)) {
      return mount.mountpoint;
    }
  }
  return std::nullopt;
}

Result<std::string> ReadDumperCgroups() { return ReadWholeFile("/proc/self/cgroup"); }

Result<Cgroups> ReadCgroups(const std::vector<pid_t>& pids, const std::string& dumpers,
                            CgroupMode mode, const std::vector<Mount>& mounts) {
  Cgroups cgroups;
  std::vector<std::pair<pid_t, std::string>> elsewhere;
  for (const pid_t pid : pids) {
    CKPT_TRY(std::string text, ReadWholeFile(fmt::format("/proc/{}/cgroup", pid)));
    if (mode != CgroupMode::kIgnore) CKPT_TRY(FindStrays(pid, text, cgroups.strays));
    cgroups.set_of[pid] = kDumperCgroupSet;
    if (text != dumpers) elsewhere.emplace_back(pid, std::move(text));
  }
  if (elsewhere.empty()) return cgroups;
  Collector collector(mode, mounts);
  CKPT_TRY(collector.AddText("self", dumpers));
  for (const auto& [pid, text] : elsewhere) {
    CKPT_TRY(cgroups.set_of[pid], collector.AddText(std::to_string(pid), text));
  }
  CKPT_TRY(cgroups.entry, collector.Build());
  return cgroups;
}

}  // namespace ckpt
