// Sets the properties of a control group.
#ifndef RESTORER_CGROUP_PROPERTIES_H_
#define RESTORER_CGROUP_PROPERTIES_H_

#include <string>

#include "base/log.h"
#include "base/result.h"
#include "restorer/cgroup_plan.h"

namespace ckpt {

// `group` is its directory, `place` names it in messages. What this kernel does not have is a
// warning.
Result<> SetCgroupProperties(const CgroupDirectory& plan, int group, const std::string& place,
                             Log& log);

}  // namespace ckpt

#endif  // RESTORER_CGROUP_PROPERTIES_H_
