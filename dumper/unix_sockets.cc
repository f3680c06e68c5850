#include "dumper/unix_sockets.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <map>
#include <utility>

#include "base/file.h"
#include "dumper/socket_options.h"
#include "process/network_namespace.h"
#include "process/unix_diag.h"

namespace ckpt {

namespace {

// So that a restorer can send a piece of a stream by one call.
constexpr size_t kStreamPieceBytes = size_t{32} << 10;

bool HasDescriptorsInFlight(const OpenDescription& opened) {
  for (const std::string& line : opened.info.details) {
    if (line.starts_with("scm_fds:") && !line.ends_with(" 0") && !line.ends_with("\t0")) {
      return true;
    }
  }
  return false;
}

// The length of the name that the socket is bound to.
size_t NameBytes(int fd) {
  sockaddr_un address{};
  socklen_t size_bytes = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size_bytes) != 0) return 0;
  return size_bytes - std::min<size_t>(size_bytes, sizeof(sa_family_t));
}

// Has recv(MSG_PEEK) go on where the last one ended, for as long as this lives.
class PeekOffset {
 public:
  explicit PeekOffset(int fd) : fd_(fd) { Set(0); }
  PeekOffset(const PeekOffset&) = delete;
  PeekOffset& operator=(const PeekOffset&) = delete;
  ~PeekOffset() { Set(-1); }

 private:
  void Set(int offset) { setsockopt(fd_, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(offset)); }
  int fd_;
};

// One look at the queue.
struct Look {
  size_t size_bytes = 0;  // with MSG_TRUNC of the whole message
  std::string bytes;      // no more than there was room for
  bool is_end = false;
  bool has_control = false;  // credentials or descriptors came with it
};

Result<Look> Peek(const OpenDescription& socket, size_t room_bytes, int flags) {
  Look look;
  look.bytes.resize(room_bytes);
  iovec part{look.bytes.data(), room_bytes};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const ssize_t got = recvmsg(socket.copy.get(), &message, MSG_PEEK | MSG_DONTWAIT | flags);
  const int saved = errno;
  look.is_end = got < 0 && saved == EAGAIN;
  if (got < 0 && !look.is_end) {
    return ErrnoError(saved, "recvmsg(MSG_PEEK) of fd {}, {}", socket.number, socket.file.path);
  }
  look.has_control = (message.msg_flags & MSG_CTRUNC) != 0;
  look.size_bytes = got < 0 ? 0 : static_cast<size_t>(got);
  look.bytes.resize(std::min(look.size_bytes, room_bytes));
  return look;
}

// What one socket of the tree is found to be.
struct FoundSocket {
  const OpenDescription* opened = nullptr;
  pb::unix_sk_entry* entry = nullptr;
  UnixSocket facts;
};

// Copies what waits to be read from one socket.
class QueueReader {
 public:
  QueueReader(const FoundSocket& socket, std::vector<SocketPacket>& packets)
      : socket_(socket), packets_(packets) {}

  Result<> Read() {
    const PeekOffset offset(socket_.opened->copy.get());
    return socket_.facts.type == SOCK_STREAM ? ReadStream() : ReadMessages();
  }

  bool has_control() const { return has_control_; }

 private:
  Result<> ReadStream() {
    while (!has_control_) {
      CKPT_TRY(Look look, Peek(*socket_.opened, kStreamPieceBytes, 0));
      if (look.bytes.empty()) break;
      Add(std::move(look));
    }
    return success();
  }

  // A message that is no longer than the room for it is seen once, so the first look is for its
  // length only.
  Result<> ReadMessages() {
    size_t empty_count = 0;
    while (!has_control_) {
      CKPT_TRY(Look look, Peek(*socket_.opened, 0, MSG_TRUNC));
      if (look.is_end) {
        AddEmpty(empty_count);
        break;
      }
      if (look.size_bytes == 0) {
        has_control_ = look.has_control;
        // The end of a SOCK_SEQPACKET that is shut down looks like a message without bytes: it is
        // one if something else follows it.
        if (IsShutDown() && empty_count > 0) break;
        ++empty_count;
        continue;
      }
      AddEmpty(std::exchange(empty_count, 0));
      CKPT_TRY(look, Peek(*socket_.opened, look.size_bytes, 0));
      Add(std::move(look));
    }
    return success();
  }

  bool IsShutDown() const {
    return socket_.facts.type == SOCK_SEQPACKET && (socket_.facts.shutdown & 1) != 0;
  }

  void AddEmpty(size_t count) {
    for (; count > 0; --count) Add({});
  }

  void Add(Look look) {
    has_control_ = has_control_ || look.has_control;
    SocketPacket& packet = packets_.emplace_back();
    packet.entry.set_id_for(socket_.entry->id());
    packet.entry.set_length(static_cast<uint32_t>(look.bytes.size()));
    packet.bytes = std::move(look.bytes);
  }

  const FoundSocket& socket_;
  std::vector<SocketPacket>& packets_;
  bool has_control_ = false;
};

// Completes the entries of all sockets of a tree.
class Completer {
 public:
  explicit Completer(Refusals& refusals) : refusals_(refusals) {}

  Result<std::vector<SocketPacket>> Complete(const std::vector<const OpenDescription*>& sockets,
                                             std::map<uint64_t, pb::unix_sk_entry*>& entries) {
    for (const OpenDescription* opened : sockets) {
      const auto entry = entries.find(opened->file.inode);
      CKPT_CHECK(entry != entries.end());
      CKPT_TRY(Find(*opened, *entry->second));
    }
    std::vector<SocketPacket> packets;
    for (const auto& [inode, socket] : found_) {
      CheckPeer(socket);
      FillEntry(socket);
      CKPT_TRY(ReadQueue(socket, packets));
    }
    return packets;
  }

 private:
  void Refuse(const OpenDescription& opened, std::string_view reason) {
    refusals_.Add("fd {} is {}: {}", opened.number, opened.file.path, reason);
  }

  Result<> Find(const OpenDescription& opened, pb::unix_sk_entry& entry) {
    CKPT_TRY(const UniqueFd space, NetworkNamespaceOf(opened.copy.get()));
    struct stat status {};
    struct stat of_process {};
    if (fstat(space.get(), &status) != 0 ||
        stat(fmt::format("/proc/{}/ns/net", opened.pid).c_str(), &of_process) != 0) {
      const int saved = errno;
      return ErrnoError(saved, "stat of the network namespace of process {}", opened.pid);
    }
    if (status.st_ino != of_process.st_ino) {
      Refuse(opened, "it is of another network namespace than its process");
      return success();
    }
    const auto [listed, is_new] = listed_.try_emplace(status.st_ino);
    if (is_new) {
      CKPT_TRY(listed->second, ListUnixSockets(space.get()));
    }
    const auto facts = listed->second.find(static_cast<uint32_t>(opened.file.inode));
    if (facts == listed->second.end()) {
      return MakeError(ErrorCode::kSystem, "fd {} is {}: sock_diag does not list it", opened.number,
                       opened.file.path);
    }
    found_[facts->first] = {.opened = &opened, .entry = &entry, .facts = facts->second};
    return success();
  }

  void CheckPeer(const FoundSocket& socket) {
    const uint32_t peer = socket.facts.peer;
    if (peer == 0) return;
    const auto found = found_.find(peer);
    if (found == found_.end()) {
      Refuse(*socket.opened, fmt::format("its peer, socket:[{}], is not in the tree", peer));
    } else if (found->second.facts.peer != socket.facts.inode) {
      Refuse(*socket.opened, fmt::format("its peer, socket:[{}], is not connected to it", peer));
    }
  }

  static void FillEntry(const FoundSocket& socket) {
    socket.entry->set_type(static_cast<uint32_t>(socket.facts.type));
    socket.entry->set_state(static_cast<uint32_t>(socket.facts.state));
    socket.entry->set_peer(socket.facts.peer);
    if (socket.facts.shutdown != 0) {
      socket.entry->set_shutdown(static_cast<pb::sk_shutdown>(socket.facts.shutdown));
    }
  }

  Result<> ReadQueue(const FoundSocket& socket, std::vector<SocketPacket>& packets) {
    pollfd query{socket.opened->copy.get(), POLLIN, 0};
    poll(&query, 1, 0);
    if ((query.revents & POLLERR) != 0) {  // recvmsg(2) would take it
      Refuse(*socket.opened, "an error waits in it (SO_ERROR), for which the format has no place");
      return success();
    }
    if ((query.revents & POLLIN) == 0) return success();
    const size_t count_before = packets.size();
    QueueReader reader(socket, packets);
    CKPT_TRY(reader.Read());
    if (reader.has_control()) {
      Refuse(*socket.opened,
             "credentials or descriptors are queued in it (SO_PASSCRED, SCM_RIGHTS), for which the "
             "format has no place");
    } else if (packets.size() > count_before && socket.facts.state != TCP_ESTABLISHED) {
      Refuse(*socket.opened, "packets are queued in it, and it is not connected");
    }
    return success();
  }

  Refusals& refusals_;
  std::map<ino_t, UnixSockets> listed_;  // by network namespace
  std::map<uint32_t, FoundSocket> found_;
};

}  // namespace

bool IsSocket(const OpenDescription& opened) {
  return S_ISSOCK(opened.file.mode) && opened.file.path.starts_with("socket:[");
}

std::optional<std::string> ReasonToRefuseSocket(const OpenDescription& opened) {
  const int fd = opened.copy.get();
  const int family = FindSocketOption(fd, SO_DOMAIN).value_or(-1);
  if (family != AF_UNIX) {
    return fmt::format("sockets of family {} are not supported yet, only those of AF_UNIX", family);
  }
  if (opened.file.inode > std::numeric_limits<uint32_t>::max()) return "its inode exceeds 32 bits";
  if (FindSocketOption(fd, SO_ACCEPTCONN).value_or(0) != 0) {
    return "sockets that listen are not supported yet";
  }
  if (NameBytes(fd) > 0) return "sockets that are bound to a name are not supported yet";
  if (HasDescriptorsInFlight(opened)) {
    return "descriptors are on their way in it (SCM_RIGHTS), not supported yet";
  }
  return ReasonToRefuseOptions(fd);
}

Result<uint32_t> AddUnixSocket(const OpenDescription& opened, FileTable& files) {
  CKPT_TRY(pb::sk_opts_entry options, ReadSocketOptions(opened.copy.get()));
  CKPT_TRY(pb::fown_entry owner, ReadOwner(opened));
  pb::file_entry& file = files.Add(pb::UNIXSK);
  pb::unix_sk_entry& entry = *file.mutable_usk();
  entry.set_id(file.id());
  entry.set_ino(static_cast<uint32_t>(opened.file.inode));
  entry.set_type(0);
  entry.set_state(0);
  entry.set_flags(opened.description_flags());
  entry.set_uflags(0);
  entry.set_backlog(0);
  entry.set_peer(0);
  *entry.mutable_fown() = std::move(owner);
  *entry.mutable_opts() = std::move(options);
  entry.set_name("");
  return file.id();
}

Result<std::vector<SocketPacket>> CompleteUnixSockets(
    const std::vector<const OpenDescription*>& sockets, FileTable& files, Refusals& refusals) {
  if (sockets.empty()) return std::vector<SocketPacket>();
  std::map<uint64_t, pb::unix_sk_entry*> entries;  // by inode
  for (pb::file_entry& file : files.mutable_entries()) {
    if (file.has_usk()) entries[file.usk().ino()] = file.mutable_usk();
  }
  return Completer(refusals).Complete(sockets, entries);
}

}  // namespace ckpt
