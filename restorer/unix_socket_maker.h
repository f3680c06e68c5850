// Makes sockets of the UNIX family again: pairs, what is queued in them, and their options.
#ifndef RESTORER_UNIX_SOCKET_MAKER_H_
#define RESTORER_UNIX_SOCKET_MAKER_H_

#include <cstdint>
#include <map>

#include "base/file.h"
#include "base/result.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// A description for each, by file id, in the network namespace of this thread. Errors begin with
// the place of the socket. Credentials that its peer sees (SO_PEERCRED) are this process's.
Result<std::map<uint32_t, UniqueFd>> MakeUnixSockets(
    const std::map<uint32_t, UnixSocketPlan>& sockets);

}  // namespace ckpt

#endif  // RESTORER_UNIX_SOCKET_MAKER_H_
