#include "process/route_netlink.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/file.h"

namespace ckpt {

namespace {

// The kernel fills what it is given up to 32 KB.
constexpr size_t kBufferBytes = 32768;

struct Message {
  uint16_t type = 0;
  Bytes payload;
};

template <typename Header>
std::optional<Header> ReadHeader(ByteReader& reader) {
  const auto bytes = reader.ReadBytes(sizeof(Header));
  if (!bytes) return std::nullopt;
  Header header;
  std::memcpy(&header, bytes->data(), sizeof(header));
  return header;
}

// Messages and attributes begin at multiples of four bytes.
void SkipPadding(ByteReader& reader) {
  const size_t padding = (4 - reader.offset() % 4) % 4;
  if (padding <= reader.remaining()) static_cast<void>(reader.ReadBytes(padding));
}

Result<Message> ReadMessage(ByteReader& reader) {
  const size_t start = reader.offset();
  const auto header = ReadHeader<nlmsghdr>(reader);
  if (header && header->nlmsg_len >= sizeof(nlmsghdr)) {
    const auto payload = reader.ReadBytes(header->nlmsg_len - sizeof(nlmsghdr));
    SkipPadding(reader);
    if (payload) return Message{header->nlmsg_type, *payload};
  }
  return MakeError(ErrorCode::kBadFormat, "netlink message at byte {} is cut short", start);
}

std::string TextOf(Bytes value) {
  const std::string_view text = AsText(value);
  return std::string(text.substr(0, text.find('\0')));
}

// The attribute `wanted` of a list of them, or nothing.
std::optional<Bytes> FindAttribute(Bytes attributes, uint16_t wanted) {
  ByteReader reader(attributes);
  while (const auto header = ReadHeader<rtattr>(reader)) {
    if (header->rta_len < sizeof(rtattr)) return std::nullopt;
    const auto value = reader.ReadBytes(header->rta_len - sizeof(rtattr));
    if (!value) return std::nullopt;
    if ((header->rta_type & NLA_TYPE_MASK) == wanted) return value;
    SkipPadding(reader);
  }
  return std::nullopt;
}

std::optional<NetDevice> ParseNetDevice(Bytes payload) {
  ByteReader reader(payload);
  const auto info = ReadHeader<ifinfomsg>(reader);
  if (!info) return std::nullopt;
  const Bytes attributes = reader.ReadRest();
  NetDevice device;
  device.index = static_cast<uint32_t>(info->ifi_index);
  device.type = info->ifi_type;
  device.flags = info->ifi_flags;
  if (const auto name = FindAttribute(attributes, IFLA_IFNAME)) device.name = TextOf(*name);
  if (const auto mtu = FindAttribute(attributes, IFLA_MTU)) {
    device.mtu = ByteReader(*mtu).ReadU32().value_or(0);
  }
  if (const auto link = FindAttribute(attributes, IFLA_LINKINFO)) {
    if (const auto kind = FindAttribute(*link, IFLA_INFO_KIND)) device.kind = TextOf(*kind);
  }
  return device;
}

Result<> SendDumpRequest(int fd, uint16_t request, uint8_t family) {
  struct {
    nlmsghdr header;
    rtgenmsg body;
  } message = {};
  message.header.nlmsg_len = NLMSG_LENGTH(sizeof(rtgenmsg));
  message.header.nlmsg_type = request;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.body.rtgen_family = family;
  if (send(fd, &message, message.header.nlmsg_len, 0) >= 0) return success();
  return ErrnoError(errno, "send(netlink request {})", request);
}

// Appends the messages of one datagram; true when the last was among them.
Result<bool> Take(Bytes datagram, uint16_t request, std::string& messages) {
  ByteReader reader(datagram);
  while (!reader.AtEnd()) {
    const size_t start = reader.offset();
    CKPT_TRY(const Message message, ReadMessage(reader));
    if (message.type == NLMSG_DONE) return true;
    if (message.type == NLMSG_ERROR) {
      ByteReader body(message.payload);
      const int code = static_cast<int>(body.ReadU32().value_or(0));
      return ErrnoError(-code, "netlink request {}", request);
    }
    messages += AsText(datagram.subspan(start, reader.offset() - start));
  }
  return false;
}

}  // namespace

Result<std::string> DumpRouteNetlink(uint16_t request, uint8_t family) {
  const UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  const int saved = errno;
  if (!fd.valid()) return ErrnoError(saved, "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)");
  CKPT_TRY(SendDumpRequest(fd.get(), request, family));
  std::string messages;
  std::string buffer(kBufferBytes, '\0');
  while (true) {
    const ssize_t got = recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) return ErrnoError(errno, "recv(netlink answer to {})", request);
    const std::string_view datagram = std::string_view(buffer).substr(0, static_cast<size_t>(got));
    CKPT_TRY(const bool done, Take(AsBytes(datagram), request, messages));
    if (done) return messages;
  }
}

Result<std::vector<NetDevice>> ParseNetDevices(std::string_view messages) {
  std::vector<NetDevice> devices;
  ByteReader reader(AsBytes(messages));
  while (!reader.AtEnd()) {
    const size_t start = reader.offset();
    CKPT_TRY(const Message message, ReadMessage(reader));
    if (message.type != RTM_NEWLINK) continue;
    const auto device = ParseNetDevice(message.payload);
    if (!device) {
      return MakeError(ErrorCode::kBadFormat, "netlink message at byte {} is cut short", start);
    }
    devices.push_back(*device);
  }
  return devices;
}

Result<bool> HasRoutes(std::string_view messages) {
  ByteReader reader(AsBytes(messages));
  while (!reader.AtEnd()) {
    CKPT_TRY(const Message message, ReadMessage(reader));
    ByteReader body(message.payload);
    const auto route = ReadHeader<rtmsg>(body);
    if (message.type != RTM_NEWROUTE || !route) continue;
    if (route->rtm_table != RT_TABLE_LOCAL && route->rtm_protocol != RTPROT_KERNEL) return true;
  }
  return false;
}

}  // namespace ckpt
