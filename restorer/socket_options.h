// Sets the options that sockets of all families have.
#ifndef RESTORER_SOCKET_OPTIONS_H_
#define RESTORER_SOCKET_OPTIONS_H_

#include <string_view>

#include "base/result.h"
#include "formats/proto/sockets.pb.h"

namespace ckpt {

// Lets a socket hold whatever it held when it was dumped, until SetSocketOptions().
void LiftBufferLimits(int fd);

// Those that differ from what the socket has. `place` is for errors.
Result<> SetSocketOptions(int fd, const pb::sk_opts_entry& options, std::string_view place);

}  // namespace ckpt

#endif  // RESTORER_SOCKET_OPTIONS_H_
