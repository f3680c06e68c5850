// IP addresses that say nothing, in place of those of a dump.
#ifndef IMGTOOL_ANONYMOUS_ADDRESSES_H_
#define IMGTOOL_ANONYMOUS_ADDRESSES_H_

#include <map>
#include <set>
#include <string>

namespace ckpt {

// By address, 4 or 16 bytes in network order: 10.0.0.1, 10.0.0.2, ... and 2001:db8::1, ... in the
// order of bytes, so that a second time changes nothing. Those of IPv4 within IPv6 become what they
// are by themselves. Not there are those that mean the same everywhere and stay: unspecified,
// loopback, multicast and broadcast ones, and what has another number of bytes.
std::map<std::string, std::string> AnonymousAddresses(const std::set<std::string>& addresses);

}  // namespace ckpt

#endif  // IMGTOOL_ANONYMOUS_ADDRESSES_H_
