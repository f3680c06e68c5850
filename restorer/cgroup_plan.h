// The plan of control groups: cgroup.img, and what --manage-cgroups and --cgroup-root make of it.
#ifndef RESTORER_CGROUP_PLAN_H_
#define RESTORER_CGROUP_PLAN_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/proto/cgroup.pb.h"
#include "restorer/findings.h"

namespace ckpt {

// As CRIU means them: which groups are made, and whose properties are set.
enum class CgroupMode {
  kIgnore,  // processes stay in the restorer's groups
  kNone,    // all groups must be there
  kProps,   // likewise, and their properties are set
  kSoft,    // those that are missing are made, with their properties
  kFull,    // likewise, and the properties of the others are set
  kStrict,  // none may be there
};

// The values of --manage-cgroups; empty is "soft". kUsage for others.
Result<CgroupMode> ParseCgroupMode(std::string_view text);

struct CgroupOptions {
  CgroupMode mode = CgroupMode::kSoft;
  // From controllers (empty: all others) to the group that takes the place of the topmost one.
  std::map<std::string, std::string> roots = {};
};

// "[CTRL:]/PATH" of --cgroup-root.
Result<> AddCgroupRoot(const std::string& text, CgroupOptions& options);

struct CgroupPermissions {
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

struct CgroupProperty {
  std::string name;
  std::string value;
  std::optional<CgroupPermissions> permissions;
};

// Paths of groups are relative to the root of their hierarchy: empty for itself.
struct CgroupDirectory {
  size_t hierarchy = 0;
  std::string path;
  std::optional<CgroupPermissions> permissions;
  std::vector<CgroupProperty> properties;
};

struct CgroupMember {
  size_t hierarchy = 0;
  std::string path;
};

struct CgroupPlan {
  CgroupMode mode = CgroupMode::kIgnore;
  // Their controllers: "cpu,cpuacct", "name=systemd"; empty for version 2.
  std::vector<std::string> hierarchies;
  std::vector<CgroupDirectory> directories;  // parents before children
  std::map<uint32_t, std::vector<CgroupMember>> sets;
  std::map<uint32_t, uint32_t> set_of_pid;  // without those that stay where the restorer is
};

// In which set of cgroup.img each thread of a process is; 0 where the image does not say.
struct TaskCgroupSets {
  uint32_t pid = 0;
  std::vector<uint32_t> threads = {};  // the leader first
};

// Processes in `dumper_set`, that of the dumper itself, stay in the groups of the restorer.
CgroupPlan PlanCgroups(const std::vector<TaskCgroupSets>& tasks, const pb::cgroup_entry& image,
                       uint32_t dumper_set, const CgroupOptions& options, Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_CGROUP_PLAN_H_
