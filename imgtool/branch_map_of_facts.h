// The branch map that ckpt-dump recorded in ckpt-raw.img.
#ifndef IMGTOOL_BRANCH_MAP_OF_FACTS_H_
#define IMGTOOL_BRANCH_MAP_OF_FACTS_H_

#include <vector>

#include "base/result.h"
#include "imgtool/branch_map.h"
#include "imgtool/dump_facts.h"

namespace ckpt {

// A union for each recorded one whose branches are known, checked as a written map is. Its id is
// NAMESPACE:MOUNT. Of unions mounted upon each other only the last recorded, which is the one that
// can be seen, counts. Empty when nothing was recorded.
Result<BranchMap> BranchMapOfFacts(const std::vector<RecordedUnion>& unions);

}  // namespace ckpt

#endif  // IMGTOOL_BRANCH_MAP_OF_FACTS_H_
