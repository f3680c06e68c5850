#include "restorer/unix_socket_maker.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "restorer/socket_options.h"

namespace ckpt {

namespace {

constexpr int kSettableFlags = O_NONBLOCK | O_ASYNC;  // fcntl(F_SETFL)

Error SocketError(int error_number, const UnixSocketPlan& socket, std::string_view call) {
  return ErrnoError(error_number, "{}: {}", socket.place, call);
}

Result<UniqueFd> MakeAlone(const UnixSocketPlan& plan) {
  UniqueFd fd(socket(AF_UNIX, plan.type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int saved = errno;
  if (!fd.valid()) return SocketError(saved, plan, fmt::format("socket(AF_UNIX, {})", plan.type));
  return fd;
}

Result<std::array<UniqueFd, 2>> MakePair(const UnixSocketPlan& plan) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, plan.type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    const int saved = errno;
    return SocketError(saved, plan, fmt::format("socketpair(AF_UNIX, {})", plan.type));
  }
  return std::array<UniqueFd, 2>{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// What `socket` is to read, sent by way of its peer.
Result<> FillQueue(const UnixSocketPlan& socket, int fd, int peer_fd) {
  if (socket.queue.empty()) return success();
  LiftBufferLimits(fd);
  LiftBufferLimits(peer_fd);
  for (const std::string& packet : socket.queue) {
    const ssize_t sent = send(peer_fd, packet.data(), packet.size(), MSG_NOSIGNAL);
    const int saved = errno;
    if (sent < 0) {
      return SocketError(saved, socket, fmt::format("sending {} bytes to it", packet.size()));
    }
    if (static_cast<size_t>(sent) != packet.size()) {
      return MakeError(ErrorCode::kSystem, "{}: only {} of {} bytes could be sent to it",
                       socket.place, sent, packet.size());
    }
  }
  return success();
}

Result<> ShutDown(const UnixSocketPlan& socket, int fd) {
  if (!socket.reads_nothing_more && !socket.writes_nothing_more) return success();
  const int how = !socket.writes_nothing_more ? SHUT_RD
                  : socket.reads_nothing_more ? SHUT_RDWR
                                              : SHUT_WR;
  if (shutdown(fd, how) == 0) return success();
  const int saved = errno;
  return SocketError(saved, socket, fmt::format("shutdown({})", how));
}

// All that may stand in the way of filling queues comes after it.
Result<> FinishSocket(const UnixSocketPlan& socket, int fd) {
  CKPT_TRY(ShutDown(socket, fd));
  CKPT_TRY(SetSocketOptions(fd, socket.options, socket.place));
  if (fcntl(fd, F_SETFL, socket.flags & kSettableFlags) == 0) return success();
  const int saved = errno;
  return SocketError(saved, socket, fmt::format("fcntl(F_SETFL, {:#o})", socket.flags));
}

}  // namespace

Result<std::map<uint32_t, UniqueFd>> MakeUnixSockets(
    const std::map<uint32_t, UnixSocketPlan>& sockets) {
  std::map<uint32_t, UniqueFd> made;
  for (const auto& [id, socket] : sockets) {
    if (made.contains(id)) continue;
    if (!socket.is_connected) {
      CKPT_TRY(made[id], MakeAlone(socket));
      continue;
    }
    CKPT_TRY(auto ends, MakePair(socket));
    auto& [first, second] = ends;
    CKPT_TRY(FillQueue(socket, first.get(), second.get()));
    const auto peer = sockets.find(socket.peer_id);
    if (peer != sockets.end()) {
      CKPT_TRY(FillQueue(peer->second, second.get(), first.get()));
      made[peer->first] = std::move(second);
    }
    made[id] = std::move(first);
  }
  for (const auto& [id, socket] : sockets) CKPT_TRY(FinishSocket(socket, made.at(id).get()));
  return made;
}

}  // namespace ckpt
