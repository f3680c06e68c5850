#include "restorer/unix_socket_plan.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <map>
#include <optional>
#include <string>

#include "restorer/description_plan.h"

namespace ckpt {

namespace {

// Why the socket is more than we make, or nothing.
std::optional<std::string> ReasonToRefuse(const pb::unix_sk_entry& entry) {
  const auto type = static_cast<int>(entry.type());
  if (type != SOCK_STREAM && type != SOCK_SEQPACKET && type != SOCK_DGRAM) {
    return fmt::format("a unix socket of type {} is not supported", type);
  }
  if (!entry.name().empty()) return "unix sockets with a name are not supported";
  if (entry.state() != TCP_ESTABLISHED && entry.state() != TCP_CLOSE) {
    return fmt::format("a unix socket in state {} is not supported", entry.state());
  }
  if (entry.uflags() != 0) {
    return fmt::format(
        "a unix socket whose peer was outside of the dump (uflags {:#x}) is not "
        "supported",
        entry.uflags());
  }
  if (entry.opts().so_filter_size() > 0) return "a socket with a filter is not supported";
  if (!entry.opts().so_bound_dev().empty()) return "a socket bound to a device is not supported";
  return std::nullopt;
}

// Sockets of the dump by inode, whether the plan has them or not.
std::map<uint32_t, const pb::unix_sk_entry*> ByInode(const DumpImages& images, Findings& findings) {
  std::map<uint32_t, const pb::unix_sk_entry*> sockets;
  for (const pb::file_entry& file : images.files) {
    if (!file.has_usk()) continue;
    if (!sockets.emplace(file.usk().ino(), &file.usk()).second) {
      findings.BadFormat("files.img: two unix sockets have the inode {}", file.usk().ino());
    }
  }
  return sockets;
}

}  // namespace

void PlanUnixSocket(const pb::unix_sk_entry& entry, FilePlan& file, RestorePlan& plan,
                    Findings& findings) {
  file.kind = FilePlan::Kind::kUnixSocket;
  file.flags = OpenFlags(entry.flags());
  file.owner = PlanOwner(entry.fown());
  if (const auto reason = ReasonToRefuse(entry))
    findings.Unsupported("{}: {}", file.place, *reason);
  UnixSocketPlan socket;
  socket.file_id = file.id;
  socket.place = file.place;
  socket.flags = file.flags;
  socket.type = static_cast<int>(entry.type());
  socket.is_connected = entry.state() == TCP_ESTABLISHED || entry.peer() != 0;
  socket.reads_nothing_more = (entry.shutdown() & pb::READ) != 0;
  socket.writes_nothing_more = (entry.shutdown() & pb::WRITE) != 0;
  socket.options = entry.opts();
  plan.unix_sockets.emplace(file.id, std::move(socket));
}

void ConnectUnixSockets(const DumpImages& images, RestorePlan& plan, Findings& findings) {
  if (plan.unix_sockets.empty()) return;
  const auto by_inode = ByInode(images, findings);
  for (const auto& [inode, entry] : by_inode) {
    const auto socket = plan.unix_sockets.find(entry->id());
    if (socket == plan.unix_sockets.end() || entry->peer() == 0) continue;
    const auto peer = by_inode.find(entry->peer());
    if (peer == by_inode.end() || peer->second->peer() != inode) {
      findings.Unsupported("{}: its peer {} is {}, which is not supported", socket->second.place,
                           entry->peer(),
                           peer == by_inode.end() ? "not in the dump" : "not connected to it");
      continue;
    }
    if (peer->second->type() != entry->type()) {
      findings.BadFormat("{}: its peer is a socket of another type", socket->second.place);
    }
    // One that no process has is closed when the pair is made.
    if (plan.unix_sockets.contains(peer->second->id())) {
      socket->second.peer_id = peer->second->id();
    }
  }
  for (const SocketPacketImage& packet : images.socket_packets) {
    const auto socket = plan.unix_sockets.find(packet.entry.id_for());
    if (socket == plan.unix_sockets.end()) continue;
    if (packet.entry.scm_size() > 0) {
      findings.Unsupported("{}: descriptors are on their way in it, which is not supported",
                           socket->second.place);
    }
    if (!socket->second.is_connected) {
      findings.Unsupported("{}: has packets and is not connected, which is not supported",
                           socket->second.place);
    }
    socket->second.queue.push_back(packet.content);
  }
}

}  // namespace ckpt
