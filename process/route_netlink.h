// What the kernel tells of a network namespace by rtnetlink(7).
#ifndef PROCESS_ROUTE_NETLINK_H_
#define PROCESS_ROUTE_NETLINK_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ckpt {

// A device of the network namespace, from an RTM_NEWLINK message.
struct NetDevice {
  uint32_t index = 0;
  uint16_t type = 0;   // ARPHRD_*: 772 is the loopback device
  uint32_t flags = 0;  // IFF_*
  uint32_t mtu = 0;
  std::string name;
  std::string kind;  // "veth", "dummy", "bridge"; empty for loopback

  bool operator==(const NetDevice&) const = default;
};

// The messages of the answer to a dump request (RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, ...) in the
// network namespace of the calling thread, one behind the other as the kernel sent them, without
// the one that ends them. `family` is AF_UNSPEC, AF_INET or AF_INET6.
Result<std::string> DumpRouteNetlink(uint16_t request, uint8_t family);

// kBadFormat says at which byte.
Result<std::vector<NetDevice>> ParseNetDevices(std::string_view messages);

// Whether a route of the messages of RTM_GETROUTE was made by somebody, not by the kernel itself.
Result<bool> HasRoutes(std::string_view messages);

}  // namespace ckpt

#endif  // PROCESS_ROUTE_NETLINK_H_
