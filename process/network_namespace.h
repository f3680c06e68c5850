// Sockets belong to the network namespace of the thread that makes them: making some in another.
#ifndef PROCESS_NETWORK_NAMESPACE_H_
#define PROCESS_NETWORK_NAMESPACE_H_

#include <functional>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace ckpt {

// The network namespace that `socket_fd` belongs to: a descriptor of it. SIOCGSKNS, Linux 4.9.
Result<UniqueFd> NetworkNamespaceOf(int socket_fd);

// True when `namespace_fd` is the one that this thread is in.
Result<bool> IsOwnNetworkNamespace(int namespace_fd);

// Calls `body` in the namespace that `namespace_fd` is a descriptor of: on a thread made for it, or
// on this one where it is in that namespace already. Needs CAP_SYS_ADMIN for another.
Result<> RunInNetworkNamespace(int namespace_fd, const std::function<Result<>()>& body);

}  // namespace ckpt

#endif  // PROCESS_NETWORK_NAMESPACE_H_
