// Which control groups the processes of a tree are in, and what those groups allow.
#ifndef DUMPER_CGROUPS_H_
#define DUMPER_CGROUPS_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/proto/cgroup.pb.h"
#include "process/mountinfo.h"

namespace ckpt {

// What is written of the groups themselves. Membership always is.
enum class CgroupMode { kIgnore, kProperties };

// A hierarchy and the path of a group in it. The name has the controllers, as in "cpu,cpuacct" or
// "name=systemd"; that of version 2 is empty.
struct CgroupMember {
  std::string name;
  std::string path;

  auto operator<=>(const CgroupMember&) const = default;  // NOLINT(modernize-use-nullptr)
};

// By name. The groups of one process.
using CgroupSet = std::vector<CgroupMember>;

// The text of /proc/PID/cgroup. kBadFormat names the line.
Result<CgroupSet> ParseCgroupSet(std::string_view text);

// Whether it is one of a list with commas, as of controllers or of mount options.
bool IsListed(std::string_view wanted, std::string_view list);

// Where `mounts` show the whole hierarchy `name`, if they do.
std::optional<std::string> FindHierarchy(const std::string& name, const std::vector<Mount>& mounts);

// The number of the dumper's own set, in images.
inline constexpr uint32_t kDumperCgroupSet = 1;

// A thread that is in other groups than the first of its process, which are those of the image.
struct StrayThread {
  pid_t pid = 0;
  pid_t tid = 0;
};

struct Cgroups {
  std::map<pid_t, uint32_t> set_of;       // by pid
  std::optional<pb::cgroup_entry> entry;  // nothing: all are in the dumper's set
  std::vector<StrayThread> strays;        // not looked for with kIgnore
};

// The text of the dumper's own /proc/PID/cgroup, which may be read before a freeze.
Result<std::string> ReadDumperCgroups();

// `mounts` are the caller's: groups are looked at where their hierarchies are mounted, and left out
// where they are not. `dumpers` is what ReadDumperCgroups() returned.
Result<Cgroups> ReadCgroups(const std::vector<pid_t>& pids, const std::string& dumpers,
                            CgroupMode mode, const std::vector<Mount>& mounts);

}  // namespace ckpt

#endif  // DUMPER_CGROUPS_H_
