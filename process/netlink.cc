#include "process/netlink.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/file.h"

namespace ckpt {

namespace {

// The kernel fills what it is given up to 32 KB.
constexpr size_t kBufferBytes = 32768;

// Messages and attributes begin at multiples of four bytes; behind the last there may be no
// padding.
void SkipPadding(ByteReader& reader) {
  const size_t padding = (NLMSG_ALIGNTO - reader.offset() % NLMSG_ALIGNTO) % NLMSG_ALIGNTO;
  static_cast<void>(reader.ReadBytes(std::min(padding, reader.remaining())));
}

Result<NetlinkMessage> ReadMessage(ByteReader& reader) {
  const size_t start = reader.offset();
  const auto header = ReadNetlinkHeader<nlmsghdr>(reader);
  if (header && header->nlmsg_len >= sizeof(nlmsghdr)) {
    const auto payload = reader.ReadBytes(header->nlmsg_len - sizeof(nlmsghdr));
    SkipPadding(reader);
    if (payload) return NetlinkMessage{header->nlmsg_type, start, *payload};
  }
  return CutShort(start);
}

Result<> SendDumpRequest(int fd, uint16_t request, Bytes body) {
  nlmsghdr header = {};
  header.nlmsg_len = static_cast<uint32_t>(NLMSG_LENGTH(body.size()));
  header.nlmsg_type = request;
  header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  std::array<iovec, 2> parts = {
      {{&header, sizeof(header)}, {const_cast<std::byte*>(body.data()), body.size()}}};
  if (writev(fd, parts.data(), parts.size()) >= 0) return success();
  return ErrnoError(errno, "writev(netlink request {})", request);
}

// A subsystem of netfilter that is not there answers EINVAL.
bool SaysThatItIsNotThere(int error_number) {
  return error_number == EPROTONOSUPPORT || error_number == EAFNOSUPPORT ||
         error_number == EOPNOTSUPP || error_number == EINVAL;
}

Error Failed(int error_number, std::string call) {
  Error error = ErrnoErrorText(error_number, std::move(call));
  if (SaysThatItIsNotThere(error_number)) error.code = ErrorCode::kUnsupported;
  return error;
}

// Appends the messages of one datagram; true when the last was among them.
Result<bool> Take(Bytes datagram, uint16_t request, std::string& messages) {
  ByteReader reader(datagram);
  while (!reader.AtEnd()) {
    CKPT_TRY(const NetlinkMessage message, ReadMessage(reader));
    if (message.type == NLMSG_DONE) return true;
    if (message.type == NLMSG_ERROR) {
      ByteReader body(message.payload);
      const int code = static_cast<int>(body.ReadU32().value_or(0));
      return Failed(-code, fmt::format("netlink request {}", request));
    }
    messages += AsText(datagram.subspan(message.offset, reader.offset() - message.offset));
  }
  return false;
}

}  // namespace

Result<std::string> DumpNetlink(int protocol, uint16_t request, Bytes body) {
  const UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  const int saved = errno;
  if (!fd.valid()) return Failed(saved, fmt::format("socket(AF_NETLINK, SOCK_RAW, {})", protocol));
  CKPT_TRY(SendDumpRequest(fd.get(), request, body));
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

Result<std::string> OrNoMessages(Result<std::string> answer) {
  if (answer.has_error() && answer.error().code == ErrorCode::kUnsupported) return std::string();
  return answer;
}

Error CutShort(size_t offset) {
  return MakeError(ErrorCode::kBadFormat, "netlink message at byte {} is cut short", offset);
}

Result<std::vector<NetlinkMessage>> ParseNetlink(std::string_view messages) {
  std::vector<NetlinkMessage> parsed;
  ByteReader reader(AsBytes(messages));
  while (!reader.AtEnd()) {
    CKPT_TRY(const NetlinkMessage message, ReadMessage(reader));
    parsed.push_back(message);
  }
  return parsed;
}

std::vector<NetlinkAttribute> ListNetlinkAttributes(Bytes attributes) {
  std::vector<NetlinkAttribute> list;
  ByteReader reader(attributes);
  while (const auto header = ReadNetlinkHeader<nlattr>(reader)) {
    if (header->nla_len < sizeof(nlattr)) break;
    const auto value = reader.ReadBytes(header->nla_len - sizeof(nlattr));
    if (!value) break;
    list.push_back({static_cast<uint16_t>(header->nla_type & NLA_TYPE_MASK), *value});
    SkipPadding(reader);
  }
  return list;
}

std::optional<Bytes> FindNetlinkAttribute(Bytes attributes, uint16_t type) {
  for (const NetlinkAttribute& attribute : ListNetlinkAttributes(attributes)) {
    if (attribute.type == type) return attribute.value;
  }
  return std::nullopt;
}

std::optional<uint32_t> FindNetlinkU32(Bytes attributes, uint16_t type) {
  const auto value = FindNetlinkAttribute(attributes, type);
  return value ? ByteReader(*value).ReadU32() : std::nullopt;
}

std::optional<std::string> FindNetlinkText(Bytes attributes, uint16_t type) {
  const auto value = FindNetlinkAttribute(attributes, type);
  if (!value) return std::nullopt;
  const std::string_view text = AsText(*value);
  return std::string(text.substr(0, text.find('\0')));
}

}  // namespace ckpt
