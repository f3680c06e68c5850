#include "imgtool/branch_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

constexpr size_t kLongestPathBytes = 4095;
constexpr size_t kMostBranches = 32767;

struct PermissionName {
  BranchPermission permission;
  std::string_view name;
};
constexpr std::array<PermissionName, 3> kPermissionNames{{
    {BranchPermission::kReadWrite, "rw"},
    {BranchPermission::kReadOnly, "ro"},
    {BranchPermission::kRealReadOnly, "rr"},
}};

Error InMap(const std::string& origin, std::string message) {
  return MakeError(ErrorCode::kBadFormat, "{}: {}", origin, message);
}

Result<> CheckBranches(const MapUnion& mount) {
  if (mount.branches.empty()) {
    return InMap(mount.origin, fmt::format("union {} has no branches", mount.id));
  }
  if (mount.branches.size() > kMostBranches) {
    return InMap(mount.origin, fmt::format("union {} has {} branches, at most {} are allowed",
                                           mount.id, mount.branches.size(), kMostBranches));
  }
  std::unordered_map<std::string_view, const Branch*> seen;
  for (const Branch& branch : mount.branches) {
    if (branch.path == "/") return InMap(branch.origin, "a branch cannot be \"/\"");
    const auto [first, inserted] = seen.emplace(branch.path, &branch);
    if (!inserted) {
      return InMap(branch.origin, fmt::format("branch {} is said twice, first at {}",
                                              EscapeOctal(branch.path), first->second->origin));
    }
  }
  return success();
}

bool SameNamespace(const MapUnion& one, const MapUnion& other) {
  return one.mnt_ns_id == other.mnt_ns_id;
}

Result<> CheckPair(const MapUnion& earlier, const MapUnion& later) {
  if (earlier.id == later.id) {
    return InMap(later.origin,
                 fmt::format("union {} is said twice, first at {}", later.id, earlier.origin));
  }
  // A list of all superblocks of a machine does not say where each is mounted.
  const bool are_told_apart = !earlier.si.empty() && !later.si.empty();
  if (earlier.mountpoint == later.mountpoint && SameNamespace(earlier, later) && !are_told_apart) {
    return InMap(later.origin, fmt::format("unions {} and {} share the mountpoint {}", earlier.id,
                                           later.id, EscapeOctal(later.mountpoint)));
  }
  return success();
}

// Sorted by whole components ("/a/b" right behind "/a", before "/a-b"), a branch that lies in
// another stands right behind it or behind another such one.
void WarnOfOverlaps(const MapUnion& mount, std::vector<std::string>& warnings) {
  std::vector<const Branch*> sorted;
  for (const Branch& branch : mount.branches) sorted.push_back(&branch);
  const auto by_component = [](const Branch* one, const Branch* other) {
    return std::ranges::lexicographical_compare(
        one->path, other->path, [](char a, char b) { return b != '/' && (a == '/' || a < b); });
  };
  std::ranges::sort(sorted, by_component);
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (!IsWithin(sorted[i]->path, sorted[i - 1]->path)) continue;
    warnings.push_back(fmt::format("{}: branch {} lies inside branch {}", sorted[i]->origin,
                                   EscapeOctal(sorted[i]->path), EscapeOctal(sorted[i - 1]->path)));
  }
}

void WarnOfWritable(const MapUnion& mount, std::vector<std::string>& warnings) {
  const auto writable =
      std::ranges::count(mount.branches, BranchPermission::kReadWrite, &Branch::permission);
  if (writable > 1) {
    warnings.push_back(fmt::format("{}: union {} has {} writable branches, most have one",
                                   mount.origin, mount.id, writable));
  }
}

}  // namespace

std::string_view BranchPermissionName(BranchPermission permission) {
  return std::ranges::find(kPermissionNames, permission, &PermissionName::permission)->name;
}

std::optional<BranchPermission> FindBranchPermission(std::string_view name) {
  const auto found = std::ranges::find(kPermissionNames, name, &PermissionName::name);
  if (found == kPermissionNames.end()) return std::nullopt;
  return found->permission;
}

bool HonoursWhiteouts(const Branch& branch) {
  return branch.permission == BranchPermission::kReadWrite ||
         std::ranges::find(branch.attributes, "wh") != branch.attributes.end();
}

std::string UnionPath(const MapUnion& mount, std::string_view rest) {
  if (mount.mountpoint == "/") return rest.empty() ? "/" : std::string(rest);
  return mount.mountpoint + std::string(rest);
}

bool IsWithin(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.starts_with('/');
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

Result<std::string> NormalPath(std::string_view path) {
  const auto refuse = [&](std::string_view why) {
    return MakeError(ErrorCode::kBadFormat, "path \"{}\" {}", EscapeOctal(path), why);
  };
  if (!path.starts_with('/')) return refuse("is not absolute");
  if (path.find('\0') != std::string_view::npos) return refuse("holds a NUL");
  std::string normal;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view component = path.substr(at, end - at);
    if (component == "." || component == "..") return refuse("has \".\" or \"..\" in it");
    if (!component.empty()) normal.append("/").append(component);
    at = end + 1;
  }
  if (normal.size() > kLongestPathBytes) {
    return MakeError(ErrorCode::kBadFormat, "path of {} bytes, at most {} are allowed",
                     normal.size(), kLongestPathBytes);
  }
  return normal.empty() ? "/" : normal;
}

Result<> CheckBranchMap(const BranchMap& map) {
  for (size_t i = 0; i < map.unions.size(); ++i) {
    CKPT_TRY(CheckBranches(map.unions[i]));
    for (size_t j = 0; j < i; ++j) CKPT_TRY(CheckPair(map.unions[j], map.unions[i]));
  }
  return success();
}

std::vector<std::string> BranchMapWarnings(const BranchMap& map) {
  std::vector<std::string> warnings;
  for (const MapUnion& mount : map.unions) {
    WarnOfOverlaps(mount, warnings);
    WarnOfWritable(mount, warnings);
  }
  return warnings;
}

}  // namespace ckpt
