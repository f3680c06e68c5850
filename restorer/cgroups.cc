#include "restorer/cgroups.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>

#include "restorer/cgroup_properties.h"

namespace ckpt {

namespace {

constexpr mode_t kGroupMode = 0755;

std::string PlaceOf(const CgroupPlan& plan, size_t hierarchy, const std::string& path) {
  return fmt::format("cgroup.img: {}:/{}", plan.hierarchies[hierarchy], path);
}

std::string_view NextName(std::string_view& list) {
  const std::string_view name = list.substr(0, list.find(','));
  list.remove_prefix(std::min(list.size(), name.size() + 1));
  return name;
}

Result<> SetControllers(const std::string& controllers, int context) {
  std::string_view rest = controllers;
  while (!rest.empty()) {
    const std::string name(NextName(rest));
    const size_t equals = name.find('=');
    const int set = equals == name.npos
                        ? fsconfig(context, FSCONFIG_SET_FLAG, name.c_str(), nullptr, 0)
                        : fsconfig(context, FSCONFIG_SET_STRING, name.substr(0, equals).c_str(),
                                   name.c_str() + equals + 1, 0);
    const int saved = errno;
    if (set < 0) return ErrnoError(saved, "fsconfig of a cgroup hierarchy ({})", name);
  }
  return success();
}

// A mount of the hierarchy that is nowhere to be seen, and gone when it is closed. Nothing while
// the hierarchy is going away: the kernel then makes the call again, for which it is too late.
Result<UniqueFd> TryToOpenHierarchy(const std::string& controllers) {
  const UniqueFd context(fsopen(controllers.empty() ? "cgroup2" : "cgroup", FSOPEN_CLOEXEC));
  const int saved = errno;
  if (!context.valid()) return ErrnoError(saved, "fsopen of cgroup");
  CKPT_TRY(SetControllers(controllers, context.get()));
  if (fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
    const int create_saved = errno;
    if (create_saved == EBUSY) return UniqueFd();
    return ErrnoError(create_saved, "fsconfig of a cgroup hierarchy (create {})", controllers);
  }
  UniqueFd mount(fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  const int mount_saved = errno;
  if (!mount.valid()) return ErrnoError(mount_saved, "fsmount of cgroup {}", controllers);
  return mount;
}

Result<std::map<std::string, std::string>> ReadOwnGroups() {
  CKPT_TRY(const std::string text, ReadWholeFile("/proc/self/cgroup"));
  return ParseOwnGroups(text);
}

// Nothing where there is none. To mount one that is not there would make it.
Result<UniqueFd> OpenHierarchy(const std::string& controllers) {
  constexpr int kTries = 100;  // the kernel waits for some milliseconds in each
  for (int i = 0; i < kTries; ++i) {
    CKPT_TRY(const auto present, ReadOwnGroups());
    if (!present.contains(controllers)) break;
    CKPT_TRY(UniqueFd hierarchy, TryToOpenHierarchy(controllers));
    if (hierarchy.valid()) return hierarchy;
  }
  return UniqueFd();
}

Result<UniqueFd> OpenGroup(int hierarchy, const std::string& path, const std::string& place) {
  const char* const name = path.empty() ? "." : path.c_str();
  UniqueFd group(openat(hierarchy, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  const int saved = errno;
  if (!group.valid()) return ErrnoError(saved, "{}", place);
  return group;
}

Result<> SetOwner(int group, const CgroupPermissions& permissions, const std::string& place) {
  if (fchown(group, permissions.uid, permissions.gid) == 0 &&
      fchmod(group, permissions.mode & 07777) == 0) {
    return success();
  }
  const int saved = errno;
  return ErrnoError(saved, "{}: fchown and fchmod", place);
}

}  // namespace

std::map<std::string, std::string> ParseOwnGroups(std::string_view text) {
  std::map<std::string, std::string> groups;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line.remove_prefix(std::min(line.size(), line.find(':') + 1));
    const size_t end = line.find(":/");
    if (end != line.npos) groups.emplace(line.substr(0, end), line.substr(end + 2));
  }
  return groups;
}

Result<Cgroups> Cgroups::Make(const CgroupPlan& plan, Log& log) {
  Cgroups cgroups(plan);
  if (plan.set_of_pid.empty()) return cgroups;
  CKPT_TRY(cgroups.OpenHierarchies(log));
  for (const CgroupDirectory& directory : plan.directories) {
    if (cgroups.hierarchies_[directory.hierarchy].valid()) {
      CKPT_TRY(cgroups.MakeDirectory(directory, log));
    }
  }
  return cgroups;
}

Result<> Cgroups::OpenHierarchies(Log& log) {
  CKPT_TRY(own_groups_, ReadOwnGroups());
  for (const std::string& controllers : plan_->hierarchies) {
    CKPT_TRY(UniqueFd hierarchy, OpenHierarchy(controllers));
    if (!hierarchy.valid()) {
      log.Warning("cgroup.img: there is no hierarchy of {} here: processes are not put into it",
                  controllers.empty() ? "version 2" : controllers);
    }
    hierarchies_.push_back(std::move(hierarchy));
  }
  return success();
}

Result<> Cgroups::MakeDirectory(const CgroupDirectory& directory, Log& log) {
  // The root of a hierarchy belongs to nobody's container.
  if (directory.path.empty()) return success();
  CKPT_TRY(const bool is_new, CreateMissing(directory));
  const bool sets_all = plan_->mode == CgroupMode::kProps || plan_->mode == CgroupMode::kFull;
  if (!is_new && !sets_all) return success();
  const std::string place = PlaceOf(*plan_, directory.hierarchy, directory.path);
  CKPT_TRY(const UniqueFd group,
           OpenGroup(hierarchies_[directory.hierarchy].get(), directory.path, place));
  if (directory.permissions) CKPT_TRY(SetOwner(group.get(), *directory.permissions, place));
  return SetCgroupProperties(directory, group.get(), place, log);
}

// Whether the group was made; those above it, which the dump does not describe, are made, too.
Result<bool> Cgroups::CreateMissing(const CgroupDirectory& directory) {
  const int hierarchy = hierarchies_[directory.hierarchy].get();
  const std::string place = PlaceOf(*plan_, directory.hierarchy, directory.path);
  const bool exists = faccessat(hierarchy, directory.path.c_str(), F_OK, 0) == 0;
  // The group that we are in is not left of another restore.
  const bool is_own = own_groups_[plan_->hierarchies[directory.hierarchy]] == directory.path;
  if (exists && !is_own && plan_->mode == CgroupMode::kStrict) {
    return MakeError(ErrorCode::kSystem, "{}: is there already (--manage-cgroups=strict)", place);
  }
  if (exists) return false;
  if (plan_->mode == CgroupMode::kNone || plan_->mode == CgroupMode::kProps) {
    return MakeError(ErrorCode::kNotFound, "{}: is not there, and is not to be made", place);
  }
  for (size_t end = 0; end != std::string::npos;) {
    end = directory.path.find('/', end + 1);
    const std::string path = directory.path.substr(0, end);
    if (mkdirat(hierarchy, path.c_str(), kGroupMode) == 0) {
      made_.emplace_back(directory.hierarchy, path);
      continue;
    }
    const int saved = errno;
    if (saved != EEXIST) return ErrnoError(saved, "{}: mkdirat of {}", place, path);
  }
  return true;
}

Cgroups::~Cgroups() {
  for (auto made = made_.rbegin(); made != made_.rend(); ++made) {
    unlinkat(hierarchies_[made->first].get(), made->second.c_str(), AT_REMOVEDIR);
  }
}

Result<> Cgroups::Join(uint32_t pid_in_dump, pid_t pid) const {
  const auto set = plan_->set_of_pid.find(pid_in_dump);
  if (set == plan_->set_of_pid.end()) return success();
  for (const CgroupMember& member : plan_->sets.at(set->second)) {
    const UniqueFd& hierarchy = hierarchies_[member.hierarchy];
    if (!hierarchy.valid()) continue;
    const std::string place = PlaceOf(*plan_, member.hierarchy, member.path);
    const std::string path = member.path.empty() ? "cgroup.procs" : member.path + "/cgroup.procs";
    const UniqueFd members(openat(hierarchy.get(), path.c_str(), O_WRONLY | O_CLOEXEC));
    const int saved = errno;
    if (!members.valid()) return ErrnoError(saved, "{}: cgroup.procs", place);
    const std::string text = std::to_string(pid);
    if (write(members.get(), text.data(), text.size()) < 0) {
      const int write_saved = errno;
      return ErrnoError(write_saved, "{}: {} to cgroup.procs", place, pid);
    }
  }
  return success();
}

}  // namespace ckpt
