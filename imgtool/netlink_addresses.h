// Addresses and routes as `ip address save` and `ip route save` write them into ifaddr-N, route-N
// and route6-N images: a magic number, then messages of rtnetlink(7).
#ifndef IMGTOOL_NETLINK_ADDRESSES_H_
#define IMGTOOL_NETLINK_ADDRESSES_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ckpt {

// What an address, 4 or 16 bytes in network order, is to become; nothing to leave it.
using AddressChange = std::function<std::optional<std::string>(std::string_view address)>;

struct ChangedAddresses {
  std::string bytes;
  size_t count = 0;
};

// The image with the addresses of its messages changed, to others as long as they are.
// kBadFormat: neither magic, or a length that runs past its end.
Result<ChangedAddresses> ChangeNetlinkAddresses(std::string_view image,
                                                const AddressChange& change);

}  // namespace ckpt

#endif  // IMGTOOL_NETLINK_ADDRESSES_H_
