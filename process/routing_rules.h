// The rules by which a network namespace chooses a routing table (ip-rule(8)).
#ifndef PROCESS_ROUTING_RULES_H_
#define PROCESS_ROUTING_RULES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ckpt {

struct RoutingRule {
  uint8_t family = 0;     // AF_INET, AF_INET6, RTNL_FAMILY_IPMR, RTNL_FAMILY_IP6MR
  uint32_t priority = 0;  // of several, the least is the first
  uint32_t table = 0;
  bool takes_all = false;  // packets are sent to `table` whatever they are

  bool operator==(const RoutingRule&) const = default;
};

// The messages of RTM_GETRULE. kBadFormat says at which byte.
Result<std::vector<RoutingRule>> ParseRoutingRules(std::string_view messages);

// What differs from a namespace that nobody has changed rules in: "IPv4 routing rule 5 (table 7)",
// "no IPv6 routing rule 32766 (table 254)". A family without any rule is one that the kernel lacks.
std::vector<std::string> DescribeRuleChanges(const std::vector<RoutingRule>& rules);

}  // namespace ckpt

#endif  // PROCESS_ROUTING_RULES_H_
