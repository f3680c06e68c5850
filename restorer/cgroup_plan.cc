#include "restorer/cgroup_plan.h"

#include <array>

namespace ckpt {

namespace {

struct ModeName {
  std::string_view name;
  CgroupMode mode;
};
constexpr std::array kModes = {
    ModeName{"ignore", CgroupMode::kIgnore}, ModeName{"none", CgroupMode::kNone},
    ModeName{"props", CgroupMode::kProps},   ModeName{"soft", CgroupMode::kSoft},
    ModeName{"full", CgroupMode::kFull},     ModeName{"strict", CgroupMode::kStrict},
    ModeName{"", CgroupMode::kSoft},
};

std::string WithoutSlashes(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

std::string Join(const std::string& directory, const std::string& name) {
  if (directory.empty() || name.empty()) return directory + name;
  return directory + "/" + name;
}

std::optional<CgroupPermissions> PermissionsOf(bool has, const pb::cgroup_perms& permissions) {
  if (!has) return std::nullopt;
  return CgroupPermissions{permissions.mode(), permissions.uid(), permissions.gid()};
}

class Planner {
 public:
  Planner(const CgroupOptions& options, Findings& findings)
      : options_(options), findings_(findings) {
    plan_.mode = options.mode;
  }

  void AddController(const pb::cg_controller_entry& entry) {
    const size_t hierarchy = HierarchyOf(fmt::format("{}", fmt::join(entry.cnames(), ",")));
    const std::string* const root = RootOf(plan_.hierarchies[hierarchy]);
    for (int i = 0; i < entry.dirs_size(); ++i) {
      const std::string path = WithoutSlashes(entry.dirs(i).dir_name());
      if (i == 0 && root != nullptr) moved_[hierarchy] = {path, *root};
      AddDirectory(hierarchy, Moved(hierarchy, path), entry.dirs(i));
    }
  }

  void AddSet(const pb::cg_set_entry& entry) {
    std::vector<CgroupMember> members;
    for (const pb::cg_member_entry& member : entry.ctls()) {
      const size_t hierarchy = HierarchyOf(member.name());
      const std::string path = WithoutSlashes(member.path());
      CheckPath(path);
      members.push_back({hierarchy, Moved(hierarchy, path)});
    }
    if (!plan_.sets.emplace(entry.id(), std::move(members)).second) {
      findings_.BadFormat("cgroup.img: two sets have the id {}", entry.id());
    }
  }

  void AddTask(const TaskCgroupSets& task, uint32_t dumper_set) {
    const uint32_t set = task.threads.empty() ? 0 : task.threads.front();
    for (const uint32_t other : task.threads) {
      if (other == set) continue;
      findings_.Unsupported(
          "core-{}.img: its threads are in several sets of control groups ({} and {}), which is "
          "not supported",
          task.pid, set, other);
      return;
    }
    if (set == 0 || set == dumper_set) return;
    if (plan_.sets.contains(set)) {
      plan_.set_of_pid.emplace(task.pid, set);
    } else {
      findings_.BadFormat("core-{}.img: cg_set {} is not in cgroup.img", task.pid, set);
    }
  }

  CgroupPlan Take() { return std::move(plan_); }

 private:
  size_t HierarchyOf(const std::string& controllers) {
    const auto [found, is_new] = hierarchies_.emplace(controllers, plan_.hierarchies.size());
    if (is_new) plan_.hierarchies.push_back(controllers);
    return found->second;
  }

  const std::string* RootOf(const std::string& controllers) const {
    for (const auto& [names, root] : options_.roots) {
      if (!names.empty() && ("," + controllers + ",").find("," + names + ",") != names.npos) {
        return &root;
      }
    }
    const auto others = options_.roots.find("");
    return others == options_.roots.end() ? nullptr : &others->second;
  }

  // The path with the topmost group of the dump replaced, where the command line says so.
  std::string Moved(size_t hierarchy, const std::string& path) const {
    const auto found = moved_.find(hierarchy);
    if (found == moved_.end()) return path;
    const auto& [from, to] = found->second;
    if (path == from) return to;
    if (from.empty()) return Join(to, path);
    return path.starts_with(from + "/") ? to + path.substr(from.size()) : path;
  }

  void CheckPath(const std::string& path) {
    if (("/" + path + "/").find("/../") != path.npos) {
      findings_.Unsupported("cgroup.img: group {} lies outside of a cgroup namespace", path);
    }
  }

  void AddDirectory(size_t hierarchy, const std::string& path, const pb::cgroup_dir_entry& entry) {
    CheckPath(path);
    CgroupDirectory directory;
    directory.hierarchy = hierarchy;
    directory.path = path;
    directory.permissions = PermissionsOf(entry.has_dir_perms(), entry.dir_perms());
    for (const pb::cgroup_prop_entry& property : entry.properties()) {
      directory.properties.push_back({property.name(), property.value(),
                                      PermissionsOf(property.has_perms(), property.perms())});
    }
    plan_.directories.push_back(std::move(directory));
    for (const pb::cgroup_dir_entry& child : entry.children()) {
      AddDirectory(hierarchy, Join(path, WithoutSlashes(child.dir_name())), child);
    }
  }

  const CgroupOptions& options_;
  Findings& findings_;
  CgroupPlan plan_;
  std::map<std::string, size_t> hierarchies_;
  std::map<size_t, std::pair<std::string, std::string>> moved_;
};

}  // namespace

Result<CgroupMode> ParseCgroupMode(std::string_view text) {
  for (const ModeName& known : kModes) {
    if (known.name == text) return known.mode;
  }
  return MakeError(ErrorCode::kUsage,
                   "--manage-cgroups={}: not one of ignore, none, props, soft, full, strict", text);
}

Result<> AddCgroupRoot(const std::string& text, CgroupOptions& options) {
  const size_t slash = text.find('/');
  const bool has_controllers = slash != text.npos && slash > 0;
  if (slash == text.npos || (has_controllers && text[slash - 1] != ':')) {
    return MakeError(ErrorCode::kUsage, "--cgroup-root {}: not of the form [CONTROLLER:]/PATH",
                     text);
  }
  const std::string controllers = has_controllers ? text.substr(0, slash - 1) : "";
  options.roots[controllers] = WithoutSlashes(std::string_view(text).substr(slash));
  return success();
}

CgroupPlan PlanCgroups(const std::vector<TaskCgroupSets>& tasks, const pb::cgroup_entry& image,
                       uint32_t dumper_set, const CgroupOptions& options, Findings& findings) {
  if (options.mode == CgroupMode::kIgnore) return {};
  Planner planner(options, findings);
  for (const pb::cg_controller_entry& entry : image.controllers()) planner.AddController(entry);
  for (const pb::cg_set_entry& entry : image.sets()) planner.AddSet(entry);
  for (const TaskCgroupSets& task : tasks) planner.AddTask(task, dumper_set);
  return planner.Take();
}

}  // namespace ckpt
