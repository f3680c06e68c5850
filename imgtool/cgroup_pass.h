// The pass of `imgtool rewrite` about cgroups.
#ifndef IMGTOOL_CGROUP_PASS_H_
#define IMGTOOL_CGROUP_PASS_H_

#include <cstdint>
#include <string>

#include "base/result.h"
#include "imgtool/edit_plan.h"
#include "imgtool/prefix_map.h"

namespace ckpt {

struct RewriteContext;

// --cgroup: paths of members, with the length of the part that is outside of their cgroup
// namespace, and the directories that a restorer makes; they leave their parents for another place
// where the rule says so. kUnsupported, naming the place: a namespace that would begin within what
// is replaced.
Result<> RenameCgroups(RewriteContext& context, EditPlan& plan);

// The length of the outer part of a path that is mapped, which had `prefix_bytes` before.
// kUnsupported as above.
Result<uint32_t> NamespacePrefix(const std::string& path, uint32_t prefix_bytes,
                                 const PrefixMap::Mapped& mapped);

}  // namespace ckpt

#endif  // IMGTOOL_CGROUP_PASS_H_
