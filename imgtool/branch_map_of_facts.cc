#include "imgtool/branch_map_of_facts.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

// "ro+wh": attributes behind the permission. What this program does not know of a newer kernel's
// attributes passes.
Result<Branch> BranchOf(const pb::raw_branch& recorded, const std::string& origin) {
  Branch branch;
  branch.origin = origin;
  auto path = NormalPath(recorded.path());
  if (path.has_error()) return std::move(path).error().In(origin);
  branch.path = std::move(path).value();
  if (recorded.has_root_dev()) branch.device = recorded.root_dev();
  std::string_view words = recorded.permissions();
  const size_t end = std::min(words.find('+'), words.size());
  const auto permission = FindBranchPermission(words.substr(0, end));
  if (!permission) {
    return MakeError(ErrorCode::kBadFormat,
                     "{}: branch {} has the permission \"{}\", none of rw, ro, rr", origin,
                     EscapeOctal(branch.path), EscapeOctal(words));
  }
  branch.permission = *permission;
  for (words.remove_prefix(end); !words.empty();) {
    words.remove_prefix(1);
    branch.attributes.emplace_back(words.substr(0, words.find('+')));
    words.remove_prefix(branch.attributes.back().size());
  }
  return branch;
}

Result<MapUnion> UnionOf(const RecordedUnion& recorded) {
  MapUnion mount;
  mount.origin = recorded.place.Text();
  mount.id = fmt::format("{}:{}", recorded.entry.mnt_ns_id(), recorded.entry.mnt_id());
  mount.mountpoint = recorded.entry.mountpoint();
  mount.mountpoint_is_sure = true;
  mount.si = recorded.entry.id();
  mount.type = recorded.entry.fstype();
  mount.mnt_id = static_cast<uint32_t>(recorded.entry.mnt_id());
  mount.mnt_ns_id = recorded.entry.mnt_ns_id();
  for (const pb::raw_branch& branch : recorded.entry.branches()) {
    CKPT_TRY(Branch known, BranchOf(branch, mount.origin));
    mount.branches.push_back(std::move(known));
  }
  return mount;
}

void RemoveCovered(const MapUnion& upper, std::vector<MapUnion>& unions) {
  std::erase_if(unions, [&](const MapUnion& lower) {
    return lower.mountpoint == upper.mountpoint && lower.mnt_ns_id == upper.mnt_ns_id;
  });
}

}  // namespace

Result<BranchMap> BranchMapOfFacts(const std::vector<RecordedUnion>& unions) {
  BranchMap map;
  for (const RecordedUnion& recorded : unions) {
    if (recorded.entry.branches().empty()) continue;
    CKPT_TRY(MapUnion mount, UnionOf(recorded));
    RemoveCovered(mount, map.unions);
    map.unions.push_back(std::move(mount));
  }
  CKPT_TRY(CheckBranchMap(map));
  return map;
}

}  // namespace ckpt
