#include "process/unix_diag.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "base/file.h"
#include "process/network_namespace.h"

namespace ckpt {

namespace {

constexpr size_t kAnswerBytes = size_t{64} << 10;  // netlink answers with less at a time

template <typename T>
std::optional<T> ReadObject(ByteReader& reader) {
  const auto bytes = reader.ReadBytes(sizeof(T));
  if (!bytes) return std::nullopt;
  T object;
  std::memcpy(&object, bytes->data(), sizeof(T));
  return object;
}

// The padding after something that is `size_bytes` long; it may be missing at the end.
void SkipPadding(ByteReader& reader, size_t size_bytes) {
  const size_t padding_bytes = NLMSG_ALIGN(size_bytes) - size_bytes;
  reader.ReadBytes(std::min(padding_bytes, reader.remaining()));
}

Error Short(std::string_view what, const ByteReader& reader) {
  return MakeError(ErrorCode::kBadFormat, "sock_diag: {} at byte {} runs past the end, {} are left",
                   what, reader.offset(), reader.remaining());
}

void SetAttribute(int type, Bytes value, UnixSocket& socket) {
  ByteReader reader(value);
  if (type == UNIX_DIAG_NAME) socket.name = AsText(value);
  if (type == UNIX_DIAG_PEER) socket.peer = reader.ReadU32().value_or(0);
  if (type == UNIX_DIAG_SHUTDOWN && !value.empty()) socket.shutdown = static_cast<int>(value[0]);
}

Result<> ParseSocket(Bytes payload, UnixSockets& sockets) {
  ByteReader reader(payload);
  const auto head = ReadObject<unix_diag_msg>(reader);
  if (!head) return Short("a socket", reader);
  UnixSocket socket;
  socket.inode = head->udiag_ino;
  socket.type = head->udiag_type;
  socket.state = head->udiag_state;
  while (!reader.AtEnd()) {
    const auto attribute = ReadObject<nlattr>(reader);
    if (!attribute || attribute->nla_len < sizeof(nlattr)) return Short("an attribute", reader);
    const auto value = reader.ReadBytes(attribute->nla_len - sizeof(nlattr));
    if (!value) return Short("an attribute", reader);
    SkipPadding(reader, attribute->nla_len);
    SetAttribute(attribute->nla_type, *value, socket);
  }
  sockets.insert_or_assign(socket.inode, std::move(socket));
  return success();
}

Error KernelError(Bytes payload) {
  ByteReader reader(payload);
  const auto error = ReadObject<nlmsgerr>(reader);
  return ErrnoError(error ? -error->error : EPROTO, "sock_diag of unix sockets");
}

Result<> Ask(int fd) {
  struct {
    nlmsghdr head;
    unix_diag_req request;
  } message{};
  message.head.nlmsg_len = sizeof(message);
  message.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.request.sdiag_family = AF_UNIX;
  message.request.udiag_states = ~0U;
  message.request.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER;
  const ssize_t sent = send(fd, &message, sizeof(message), 0);
  const int saved = errno;
  if (sent < 0) return ErrnoError(saved, "send of a sock_diag request");
  return success();
}

}  // namespace

Result<bool> ParseUnixDiag(Bytes bytes, UnixSockets& sockets) {
  ByteReader reader(bytes);
  while (!reader.AtEnd()) {
    const auto head = ReadObject<nlmsghdr>(reader);
    if (!head || head->nlmsg_len < sizeof(nlmsghdr)) return Short("a message", reader);
    const auto payload = reader.ReadBytes(head->nlmsg_len - sizeof(nlmsghdr));
    if (!payload) return Short("a message", reader);
    SkipPadding(reader, head->nlmsg_len);
    if (head->nlmsg_type == NLMSG_DONE) return true;
    if (head->nlmsg_type == NLMSG_ERROR) return KernelError(*payload);
    if (head->nlmsg_type == SOCK_DIAG_BY_FAMILY) CKPT_TRY(ParseSocket(*payload, sockets));
  }
  return false;
}

Result<UnixSockets> ListUnixSockets(int namespace_fd) {
  UniqueFd fd;
  int saved = 0;
  CKPT_TRY(RunInNetworkNamespace(namespace_fd, [&]() -> Result<> {
    fd = UniqueFd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    saved = errno;
    return success();
  }));
  if (!fd.valid()) return ErrnoError(saved, "socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG)");
  CKPT_TRY(Ask(fd.get()));
  UnixSockets sockets;
  std::vector<std::byte> answer(kAnswerBytes);
  for (bool is_done = false; !is_done;) {
    const ssize_t got = recv(fd.get(), answer.data(), answer.size(), 0);
    saved = errno;
    if (got < 0) return ErrnoError(saved, "recv of a sock_diag answer");
    CKPT_TRY(is_done, ParseUnixDiag(Bytes(answer).first(static_cast<size_t>(got)), sockets));
  }
  return sockets;
}

}  // namespace ckpt
