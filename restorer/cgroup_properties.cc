#include "restorer/cgroup_properties.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "base/file.h"

namespace ckpt {

namespace {

constexpr size_t kMostPropertyBytes = size_t{1} << 20;
constexpr mode_t kPermissionBits = 07777;

// Whose members and state are made by the restore itself.
constexpr std::array<std::string_view, 4> kNotWritten = {"cgroup.procs", "tasks", "freezer.state",
                                                         "cgroup.freeze"};

// Errors that say that this kernel has no such property, or does not let it be set any more, or has
// not the device that it is about.
bool IsMissing(int error_number) {
  return error_number == ENOENT || error_number == EOPNOTSUPP || error_number == ENODEV;
}

std::string_view WithoutNewline(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

class Setter {
 public:
  Setter(int group, const std::string& place, Log& log) : group_(group), place_(place), log_(log) {}

  Result<> Set(const CgroupProperty& property) {
    if (std::ranges::find(kNotWritten, property.name) == kNotWritten.end()) {
      CKPT_TRY(SetValue(property));
    }
    if (property.permissions) CKPT_TRY(SetPermissions(property.name, *property.permissions));
    return success();
  }

 private:
  Result<> SetValue(const CgroupProperty& property) {
    const std::string_view value = WithoutNewline(property.value);
    if (value.empty() || value == Current(property.name)) return success();
    if (property.name == "devices.list") return SetDevices(value);
    if (property.name == "cgroup.subtree_control") return EnableControllers(value);
    // A group is of this type when it is made.
    if (property.name == "cgroup.type" && value != "threaded") return success();
    return WriteLines(property.name, value);
  }

  std::string Current(const std::string& name) const {
    const UniqueFd file(openat(group_, name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return {};
    const Result<std::string> text = ReadWholeFd(file.get(), name, kMostPropertyBytes);
    return text.has_value() ? std::string(WithoutNewline(text.value())) : std::string();
  }

  // Each line by a write of its own, as these files take them.
  Result<> WriteLines(const std::string& name, std::string_view text) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      CKPT_TRY(Write(name, line));
    }
    return success();
  }

  Result<> Write(const std::string& name, std::string_view value) {
    const UniqueFd file(openat(group_, name.c_str(), O_WRONLY | O_CLOEXEC));
    int saved = errno;
    if (file.valid()) {
      if (write(file.get(), value.data(), value.size()) >= 0) return success();
      saved = errno;
    }
    Error failed = ErrnoError(saved, "{}: {} to {}", place_, value, name);
    if (!IsMissing(saved)) return failed;
    log_.Warning("{}", failed.message);
    return success();
  }

  Result<> SetDevices(std::string_view list) {
    CKPT_TRY(Write("devices.deny", "a"));
    return WriteLines("devices.allow", list);
  }

  Result<> EnableControllers(std::string_view names) {
    while (!names.empty()) {
      const std::string_view name = names.substr(0, names.find(' '));
      names.remove_prefix(std::min(names.size(), name.size() + 1));
      if (!name.empty()) CKPT_TRY(Write("cgroup.subtree_control", fmt::format("+{}", name)));
    }
    return success();
  }

  Result<> SetPermissions(const std::string& name, const CgroupPermissions& permissions) {
    struct stat found {};
    if (fstatat(group_, name.c_str(), &found, 0) < 0) return success();  // told already
    if ((found.st_uid != permissions.uid || found.st_gid != permissions.gid) &&
        fchownat(group_, name.c_str(), permissions.uid, permissions.gid, 0) < 0) {
      const int saved = errno;
      return ErrnoError(saved, "{}: fchownat of {}", place_, name);
    }
    const mode_t mode = permissions.mode & kPermissionBits;
    if ((found.st_mode & kPermissionBits) != mode && fchmodat(group_, name.c_str(), mode, 0) < 0) {
      const int saved = errno;
      return ErrnoError(saved, "{}: fchmodat of {}", place_, name);
    }
    return success();
  }

  int group_;
  const std::string& place_;
  Log& log_;
};

}  // namespace

Result<> SetCgroupProperties(const CgroupDirectory& plan, int group, const std::string& place,
                             Log& log) {
  Setter setter(group, place, log);
  for (const CgroupProperty& property : plan.properties) CKPT_TRY(setter.Set(property));
  return success();
}

}  // namespace ckpt
