// Which branch a path of the dumped machine lies in. Pure: bytes against bytes, no locale, no
// case folding, no file system.
#ifndef IMGTOOL_BRANCH_MATCH_H_
#define IMGTOOL_BRANCH_MATCH_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "imgtool/branch_map.h"

namespace ckpt {

struct BranchMatch {
  size_t union_index = 0;   // in BranchMap::unions
  size_t branch_index = 0;  // in MapUnion::branches, 0 is the topmost
  std::string rest;         // behind the branch: "" for the branch itself, else "/x/y"
  bool deleted = false;     // the link said "/branch (deleted)" of the branch itself

  friend bool operator==(const BranchMatch&, const BranchMatch&) = default;
};

// What the kernel appends to the link of a file that has no name any more.
inline constexpr std::string_view kDeletedSuffix = " (deleted)";

class BranchMatcher {
 public:
  // The map must outlive the matcher.
  explicit BranchMatcher(const BranchMap& map);

  // The longest branch that `path` is or lies below, by whole components: "/d/ID-init/x" is not in
  // "/d/ID". Several matches only when unions share that branch. The suffix of a deleted file is
  // part of its name here, since a file may really be called so; only a path that is a branch and
  // the suffix, which could be nothing else, is taken for the branch.
  std::vector<BranchMatch> Match(std::string_view path) const;

 private:
  struct Place {
    size_t union_index;
    size_t branch_index;
  };

  std::vector<BranchMatch> MatchExactName(std::string_view path) const;

  std::unordered_multimap<std::string_view, Place> branches_;
};

// Whether `rest` leads through AUFS's own names (.wh..wh.plnk, .wh.NAME and so on), which are no
// names of the union.
bool IsReservedInAufs(std::string_view rest);

// The beginning of `rest` up to and with the first such name; all of it where there is none.
std::string UpToReservedInAufs(std::string_view rest);

}  // namespace ckpt

#endif  // IMGTOOL_BRANCH_MATCH_H_
