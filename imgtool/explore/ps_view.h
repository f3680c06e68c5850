// `imgtool x DUMP ps`: processes and threads.
#ifndef IMGTOOL_EXPLORE_PS_VIEW_H_
#define IMGTOOL_EXPLORE_PS_VIEW_H_

#include "imgtool/explore/view.h"

namespace ckpt {

// A row for each process, in the order of the tree, and for each further thread.
Result<> ListProcesses(const ViewInput& input, Listing& listing);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_PS_VIEW_H_
