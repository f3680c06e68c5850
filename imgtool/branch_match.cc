#include "imgtool/branch_match.h"

#include <algorithm>

namespace ckpt {

BranchMatcher::BranchMatcher(const BranchMap& map) {
  for (size_t i = 0; i < map.unions.size(); ++i) {
    const auto& branches = map.unions[i].branches;
    for (size_t j = 0; j < branches.size(); ++j) branches_.emplace(branches[j].path, Place{i, j});
  }
}

std::vector<BranchMatch> BranchMatcher::MatchExactName(std::string_view path) const {
  // From the whole path up to its first component, so that the longest branch is found first.
  for (size_t length = path.size(); length != 0 && length != std::string_view::npos;
       length = path.rfind('/', length - 1)) {
    const auto [first, last] = branches_.equal_range(path.substr(0, length));
    if (first == last) continue;
    std::vector<BranchMatch> matches;
    for (auto found = first; found != last; ++found) {
      const auto [union_index, branch_index] = found->second;
      matches.push_back({union_index, branch_index, std::string(path.substr(length)), false});
    }
    std::ranges::sort(matches, {}, &BranchMatch::union_index);
    return matches;
  }
  return {};
}

std::vector<BranchMatch> BranchMatcher::Match(std::string_view path) const {
  if (path.ends_with(kDeletedSuffix)) {
    const std::string_view name = path.substr(0, path.size() - kDeletedSuffix.size());
    if (branches_.contains(name)) {
      std::vector<BranchMatch> matches = MatchExactName(name);
      for (BranchMatch& match : matches) match.deleted = true;
      return matches;
    }
  }
  return MatchExactName(path);
}

bool IsReservedInAufs(std::string_view rest) {
  return rest.find("/.wh.") != std::string_view::npos;
}

std::string UpToReservedInAufs(std::string_view rest) {
  const size_t at = std::min(rest.find("/.wh."), rest.size());
  return std::string(rest.substr(0, rest.find('/', at + 1)));
}

}  // namespace ckpt
