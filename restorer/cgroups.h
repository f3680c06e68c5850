// Makes control groups and puts processes into them.
#ifndef RESTORER_CGROUPS_H_
#define RESTORER_CGROUPS_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/result.h"
#include "restorer/cgroup_plan.h"

namespace ckpt {

// The groups of a plan. Groups that were made are removed by the destructor, which the processes in
// them must not outlive, unless they are to stay.
class Cgroups {
 public:
  // Makes groups and sets properties as the plan's mode says. A hierarchy that this machine does
  // not have is a warning. `plan` must outlive the result. After an error what was made is gone.
  static Result<Cgroups> Make(const CgroupPlan& plan, Log& log);

  Cgroups(Cgroups&&) = default;
  Cgroups& operator=(Cgroups&&) = delete;
  ~Cgroups();

  // Moves the process into the groups that `pid_in_dump` was in; `pid` is its number here. Nothing
  // for a process that stays where it is.
  Result<> Join(uint32_t pid_in_dump, pid_t pid) const;

  // What was made stays.
  void Keep() { made_.clear(); }

 private:
  explicit Cgroups(const CgroupPlan& plan) : plan_(&plan) {}
  Result<> OpenHierarchies(Log& log);
  Result<> MakeDirectory(const CgroupDirectory& directory, Log& log);
  Result<bool> CreateMissing(const CgroupDirectory& directory);

  const CgroupPlan* plan_;
  std::map<std::string, std::string> own_groups_;     // of the restorer
  std::vector<UniqueFd> hierarchies_;                 // not valid: not on this machine
  std::vector<std::pair<size_t, std::string>> made_;  // hierarchy and path, parents first
};

// From the controllers of each hierarchy to the group in it, without slashes around it, by the text
// of /proc/self/cgroup ("8:cpu,cpuacct:/x").
std::map<std::string, std::string> ParseOwnGroups(std::string_view text);

}  // namespace ckpt

#endif  // RESTORER_CGROUPS_H_
