// The sockets of the UNIX family in a network namespace as sock_diag(7) lists them.
#ifndef PROCESS_UNIX_DIAG_H_
#define PROCESS_UNIX_DIAG_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

struct UnixSocket {
  uint32_t inode = 0;
  int type = 0;       // SOCK_*
  int state = 0;      // TCP_ESTABLISHED, TCP_CLOSE, TCP_LISTEN
  uint32_t peer = 0;  // its inode; 0: there is none, or it is closed
  int shutdown = 0;   // bit 0: nothing more is received, bit 1: nothing more is sent
  std::string name;   // what it is bound to; abstract where it begins with a zero byte
};

using UnixSockets = std::map<uint32_t, UnixSocket>;  // by inode

// The messages of one part of the answer (linux/unix_diag.h). True when it was the last part.
// kBadFormat where lengths do not fit, kSystem for an error that the kernel tells.
Result<bool> ParseUnixDiag(Bytes bytes, UnixSockets& sockets);

// Those of the namespace that `namespace_fd` is a descriptor of.
Result<UnixSockets> ListUnixSockets(int namespace_fd);

}  // namespace ckpt

#endif  // PROCESS_UNIX_DIAG_H_
