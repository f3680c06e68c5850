// A control group as its directory shows it: permissions, properties, and the groups below it.
#ifndef DUMPER_CGROUP_DIRECTORY_H_
#define DUMPER_CGROUP_DIRECTORY_H_

#include <string>

#include "base/result.h"
#include "formats/proto/cgroup.pb.h"

namespace ckpt {

// `path` is absolute in the hierarchy that is mounted at `hierarchy`. Below the root group, which
// all of the machine is in, nothing is looked at. Properties are those of the controllers and of
// version 1 or 2 that there are files for; of those that list processes, only the permissions.
Result<pb::cgroup_dir_entry> ReadCgroupDirectory(const std::string& hierarchy,
                                                 const std::string& path, bool is_version_2);

// Without properties and what is below.
Result<pb::cgroup_dir_entry> ReadBareCgroupDirectory(const std::string& hierarchy,
                                                     const std::string& path);

}  // namespace ckpt

#endif  // DUMPER_CGROUP_DIRECTORY_H_
