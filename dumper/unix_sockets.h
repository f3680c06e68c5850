// Sockets of a frozen tree: connected pairs of the UNIX family with what is queued in them.
#ifndef DUMPER_UNIX_SOCKETS_H_
#define DUMPER_UNIX_SOCKETS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dumper/file_table.h"
#include "dumper/open_description.h"
#include "dumper/refusals.h"
#include "formats/proto/sockets.pb.h"

namespace ckpt {

// An entry of sk-queues.img and the bytes after it.
struct SocketPacket {
  pb::sk_packet_entry entry;
  std::string bytes;
};

bool IsSocket(const OpenDescription& opened);

// Why the socket cannot be dumped, whatever its peer is, or nothing.
std::optional<std::string> ReasonToRefuseSocket(const OpenDescription& opened);

// Adds the entry of a socket that is not refused, without what CompleteUnixSockets() finds.
Result<uint32_t> AddUnixSocket(const OpenDescription& opened, FileTable& files);

// `sockets` are all of the tree, one description of each, added to `files`: gives their entries
// state and peer, and copies what waits to be read, which stays where it is (of a message without
// bytes the kernel notes that it was seen, and shows it to no second dump). What has no peer in the
// tree goes to `refusals`. They must be frozen: looking moves an offset that reading uses.
Result<std::vector<SocketPacket>> CompleteUnixSockets(
    const std::vector<const OpenDescription*>& sockets, FileTable& files, Refusals& refusals);

}  // namespace ckpt

#endif  // DUMPER_UNIX_SOCKETS_H_
