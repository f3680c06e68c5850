#include "restorer/mount_plan.h"

#include <algorithm>

namespace ckpt {

size_t MountTreePlan::FindMountOf(std::string_view path) const {
  size_t mount = 0;
  std::string below;  // what was walked since the root of `mount`
  const auto enter = [&] {
    for (auto child = children.find({mount, below}); child != children.end();
         child = children.find({mount, below})) {
      mount = child->second;
      below.clear();
    }
  };
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(name.size());
    if (name.empty()) continue;
    if (!below.empty()) below += '/';
    below += name;
    enter();
  }
  return mount;
}

}  // namespace ckpt
