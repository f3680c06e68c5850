// Addresses in the rules of a firewall, as iptables-save(8) and `nft list ruleset` print them into
// iptables-N, ip6tables-N and nftables-N images.
#ifndef IMGTOOL_FIREWALL_ADDRESSES_H_
#define IMGTOOL_FIREWALL_ADDRESSES_H_

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace ckpt {

enum class FirewallSyntax { kIptables, kNftables };

struct ChangedRules {
  std::string text;
  size_t count = 0;
  std::set<std::string> changed;  // the old addresses that were
  // Those that also stand where no single host is meant, and were left there: in networks
  // ("10.0.0.1/24"), ranges, names, comments, and behind options that are not known to take one.
  std::set<std::string> left;
};

// `addresses` is old to new, in text as the kernel's tools print it; each is changed once. What is
// changed are hosts, also with their port or a prefix of their whole length: behind -s, -d,
// --to-source, --to-destination, --to, --on-ip, --gateway and the --ct options of iptables, and as
// words of their own outside of quotes for nftables.
ChangedRules ChangeFirewallAddresses(std::string_view text, FirewallSyntax syntax,
                                     const std::map<std::string, std::string>& addresses);

}  // namespace ckpt

#endif  // IMGTOOL_FIREWALL_ADDRESSES_H_
