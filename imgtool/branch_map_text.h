// The branch map as text, the format of docs/branch-map.md: what the user of aufs-fixup writes, and
// what prints a map of any other source.
#ifndef IMGTOOL_BRANCH_MAP_TEXT_H_
#define IMGTOOL_BRANCH_MAP_TEXT_H_

#include <string>
#include <string_view>

#include "base/result.h"
#include "imgtool/branch_map.h"

namespace ckpt {

// The first word of every map, before its version.
inline constexpr std::string_view kBranchMapWord = "branch-map";
inline constexpr int kBranchMapVersion = 1;

// Reads a whole map and checks it. Errors (kBadFormat; kUnsupported for a later version) begin with
// `name` and the line number: "web.map:7: ...".
Result<BranchMap> ParseBranchMap(std::string_view text, std::string_view name);

// The map as text that ParseBranchMap reads back as the same map.
std::string PrintBranchMap(const BranchMap& map);

}  // namespace ckpt

#endif  // IMGTOOL_BRANCH_MAP_TEXT_H_
