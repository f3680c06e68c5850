// The options that sockets of all families have, as their entries in images hold them.
#ifndef DUMPER_SOCKET_OPTIONS_H_
#define DUMPER_SOCKET_OPTIONS_H_

#include <optional>
#include <string>

#include "base/result.h"
#include "formats/proto/sockets.pb.h"

namespace ckpt {

// Nothing where the kernel has no such option.
std::optional<int> FindSocketOption(int fd, int option);

// What the socket is set to that sk_opts_entry has no place for, or nothing.
std::optional<std::string> ReasonToRefuseOptions(int fd);

Result<pb::sk_opts_entry> ReadSocketOptions(int fd);

}  // namespace ckpt

#endif  // DUMPER_SOCKET_OPTIONS_H_
