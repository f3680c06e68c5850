// `imgtool x DUMP sockets`: sockets of all families.
#ifndef IMGTOOL_EXPLORE_SOCKETS_VIEW_H_
#define IMGTOOL_EXPLORE_SOCKETS_VIEW_H_

#include "imgtool/explore/view.h"

namespace ckpt {

// A row for each socket, with the descriptors that refer to it; with pids, those that these have.
Result<> ListSockets(const ViewInput& input, Listing& listing);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_SOCKETS_VIEW_H_
