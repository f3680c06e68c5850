// Questions to the kernel that are answered by a list of messages (netlink(7)).
#ifndef PROCESS_NETLINK_H_
#define PROCESS_NETLINK_H_

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

struct NetlinkMessage {
  uint16_t type = 0;
  size_t offset = 0;  // of its header in what was parsed
  Bytes payload;      // in the memory of what was parsed
};

// The messages of the answer to the dump request `request` of `protocol` (NETLINK_ROUTE, ...) in
// the network namespace of the calling thread, one behind the other as the kernel sent them,
// without the one that ends them. `body` is what follows the header of the request. kUnsupported
// where this kernel has no such protocol, or nothing in it that answers the request.
Result<std::string> DumpNetlink(int protocol, uint16_t request, Bytes body);

// The answer, or one without messages where it is kUnsupported.
Result<std::string> OrNoMessages(Result<std::string> answer);

// Of a message that is cut short, or has too little in it: kBadFormat, with the byte.
Error CutShort(size_t offset);

// An error is CutShort().
Result<std::vector<NetlinkMessage>> ParseNetlink(std::string_view messages);

struct NetlinkAttribute {
  uint16_t type = 0;
  Bytes value;
};

// What stands before the place where the list is cut short, if it is.
std::vector<NetlinkAttribute> ListNetlinkAttributes(Bytes attributes);

// The value of the first attribute of this type, or nothing.
std::optional<Bytes> FindNetlinkAttribute(Bytes attributes, uint16_t type);
std::optional<uint32_t> FindNetlinkU32(Bytes attributes, uint16_t type);
std::optional<std::string> FindNetlinkText(Bytes attributes, uint16_t type);

// The structure that a payload begins with; nothing where it is too short.
template <typename Header>
std::optional<Header> ReadNetlinkHeader(ByteReader& reader) {
  const auto bytes = reader.ReadBytes(sizeof(Header));
  if (!bytes) return std::nullopt;
  Header header;
  std::memcpy(&header, bytes->data(), sizeof(header));
  return header;
}

}  // namespace ckpt

#endif  // PROCESS_NETLINK_H_
