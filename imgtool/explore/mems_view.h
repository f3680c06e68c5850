// `imgtool x DUMP mems`: mappings.
#ifndef IMGTOOL_EXPLORE_MEMS_VIEW_H_
#define IMGTOOL_EXPLORE_MEMS_VIEW_H_

#include "imgtool/explore/view.h"

namespace ckpt {

// A table for each process, as /proc/PID/maps has it.
Result<> ListMappings(const ViewInput& input, Listing& listing);

// `imgtool x DUMP rss`: the same with the pages that the dump has of each, and their sum.
Result<> ListPages(const ViewInput& input, Listing& listing);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_MEMS_VIEW_H_
