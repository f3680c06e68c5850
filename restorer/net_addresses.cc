#include "restorer/net_addresses.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/byte_reader.h"
#include "base/file.h"
#include "process/netlink.h"
#include "process/routing_rules.h"

namespace ckpt {

namespace {

constexpr uint32_t kAddressMagic = 0x47361222;
constexpr uint32_t kRouteMagic = 0x45311224;
constexpr uint32_t kRuleMagic = 0x71706986;
constexpr uint32_t kLoopbackIndex = 1;

template <typename T>
T As(Bytes bytes) {
  T value;
  CKPT_CHECK(bytes.size() >= sizeof(value));
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

// What follows the header of a message: `length` counts that, too, and what follows is aligned.
std::optional<Bytes> ReadPayload(ByteReader& reader, size_t length) {
  if (length < sizeof(nlmsghdr)) return std::nullopt;
  const std::optional<Bytes> payload = reader.ReadBytes(length - sizeof(nlmsghdr));
  if (!payload) return std::nullopt;
  const size_t padding = (NLMSG_ALIGNTO - length % NLMSG_ALIGNTO) % NLMSG_ALIGNTO;
  reader.ReadBytes(std::min(padding, reader.remaining()));
  return payload;
}

// What the loopback device has as soon as it is up.
bool IsKernelsOwn(const ifaddrmsg& address, Bytes attributes) {
  const Bytes value = FindNetlinkAttribute(attributes, IFA_ADDRESS).value_or(Bytes());
  if (address.ifa_family == AF_INET && value.size() == sizeof(in_addr)) {
    return address.ifa_prefixlen == 8 && As<in_addr>(value).s_addr == htonl(INADDR_LOOPBACK);
  }
  if (address.ifa_family == AF_INET6 && value.size() == sizeof(in6_addr)) {
    const auto found = As<in6_addr>(value);
    return address.ifa_prefixlen == 128 && IN6_IS_ADDR_LOOPBACK(&found);
  }
  return false;
}

struct SavedMessage {
  nlmsghdr header;
  Bytes payload;
};

// The messages of type `type` behind the magic number; all have at least `least_bytes` of payload.
Result<std::vector<SavedMessage>> ReadSaved(std::string_view bytes, std::string_view image,
                                            uint32_t magic, uint16_t type, size_t least_bytes) {
  std::vector<SavedMessage> messages;
  ByteReader reader(AsBytes(bytes));
  if (reader.AtEnd()) return messages;
  if (reader.ReadU32() != magic) {
    return MakeError(ErrorCode::kBadFormat, "{}: does not begin with {:#x}", image, magic);
  }
  while (!reader.AtEnd()) {
    const size_t offset = reader.offset();
    const std::optional<Bytes> start = reader.ReadBytes(sizeof(nlmsghdr));
    if (!start) return MakeError(ErrorCode::kBadFormat, "{}: ends in a message", image);
    const auto header = As<nlmsghdr>(*start);
    const auto payload = ReadPayload(reader, header.nlmsg_len);
    const bool is_wanted = header.nlmsg_type == type;
    if (!payload || (is_wanted && payload->size() < least_bytes)) {
      return MakeError(ErrorCode::kBadFormat, "{}: message at offset {}: its length is {} bytes",
                       image, offset, header.nlmsg_len);
    }
    if (is_wanted) messages.push_back({header, *payload});
  }
  return messages;
}

std::string Text(const SavedMessage& message) {
  std::string text(reinterpret_cast<const char*>(&message.header), sizeof(message.header));
  text += AsText(message.payload);
  return text;
}

Result<> Add(int socket_fd, std::string message) {
  nlmsghdr header{};
  std::memcpy(&header, message.data(), sizeof(header));
  header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
  header.nlmsg_pid = 0;
  std::memcpy(message.data(), &header, sizeof(header));
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (sendto(socket_fd, message.data(), message.size(), 0, reinterpret_cast<sockaddr*>(&kernel),
             sizeof(kernel)) < 0) {
    return ErrnoError(errno, "sendto of RTM_NEWADDR");
  }
  struct {
    nlmsghdr header;
    nlmsgerr error;
  } answer{};
  const ssize_t got = recv(socket_fd, &answer, sizeof(answer), MSG_TRUNC);
  if (got < 0) return ErrnoError(errno, "recv of what became of RTM_NEWADDR");
  const int failed = -answer.error.error;
  if (failed == 0 || failed == EEXIST) return success();
  return ErrnoError(failed, "RTM_NEWADDR");
}

}  // namespace

Result<std::vector<std::string>> ParseAddresses(std::string_view bytes, std::string_view image) {
  CKPT_TRY(const auto saved,
           ReadSaved(bytes, image, kAddressMagic, RTM_NEWADDR, sizeof(ifaddrmsg)));
  std::vector<std::string> messages;
  for (const SavedMessage& message : saved) {
    const auto address = As<ifaddrmsg>(message.payload);
    if (IsKernelsOwn(address, message.payload.subspan(sizeof(address)))) continue;
    if (address.ifa_index != kLoopbackIndex) {
      return MakeError(ErrorCode::kUnsupported, "{}: an address of device {} is not supported",
                       image, address.ifa_index);
    }
    messages.push_back(Text(message));
  }
  return messages;
}

Result<bool> HasAddedRoutes(std::string_view bytes, std::string_view image) {
  CKPT_TRY(const auto saved, ReadSaved(bytes, image, kRouteMagic, RTM_NEWROUTE, sizeof(rtmsg)));
  for (const SavedMessage& message : saved) {
    if (As<rtmsg>(message.payload).rtm_protocol != RTPROT_KERNEL) return true;
  }
  return false;
}

Result<bool> HasChangedRules(std::string_view bytes, std::string_view image) {
  CKPT_TRY(ReadSaved(bytes, image, kRuleMagic, RTM_NEWRULE, sizeof(rtmsg)));
  if (bytes.empty()) return false;
  Result<std::vector<RoutingRule>> rules = ParseRoutingRules(bytes.substr(sizeof(kRuleMagic)));
  if (rules.has_error()) return std::move(rules).error().In(image);
  return !DescribeRuleChanges(rules.value()).empty();
}

Result<> AddAddresses(const std::vector<std::string>& messages) {
  if (messages.empty()) return success();
  const UniqueFd socket_fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  const int saved = errno;
  if (!socket_fd.valid()) return ErrnoError(saved, "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)");
  for (const std::string& message : messages) CKPT_TRY(Add(socket_fd.get(), message));
  return success();
}

}  // namespace ckpt
