// `imgtool x DUMP fds`: descriptors.
#ifndef IMGTOOL_EXPLORE_FDS_VIEW_H_
#define IMGTOOL_EXPLORE_FDS_VIEW_H_

#include "imgtool/explore/view.h"

namespace ckpt {

// A table for each process, with its working and root directory and its executable file. A
// descriptor table that processes share is told of once.
Result<> ListDescriptors(const ViewInput& input, Listing& listing);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_FDS_VIEW_H_
