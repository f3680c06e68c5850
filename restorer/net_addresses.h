// The addresses, routes and routing rules of a network namespace: ifaddr-*.img, route-*.img,
// route6-*.img and rule-*.img, the answers of a netlink socket behind four bytes of magic number,
// as ip(8) saves them.
#ifndef RESTORER_NET_ADDRESSES_H_
#define RESTORER_NET_ADDRESSES_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ckpt {

// The messages of type RTM_NEWADDR, each with its header, without those of addresses that the
// kernel gives the loopback device itself. `image` is its name. kUnsupported for an address of
// another device than the first, which is the loopback device.
Result<std::vector<std::string>> ParseAddresses(std::string_view bytes, std::string_view image);

// Whether there is a route that somebody made, and not the kernel for an address.
Result<bool> HasAddedRoutes(std::string_view bytes, std::string_view image);

// Whether the routing rules are others than those that the kernel makes.
Result<bool> HasChangedRules(std::string_view bytes, std::string_view image);

// Adds the addresses of such messages in the caller's network namespace. That one is there already
// is no error.
Result<> AddAddresses(const std::vector<std::string>& messages);

}  // namespace ckpt

#endif  // RESTORER_NET_ADDRESSES_H_
