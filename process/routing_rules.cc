#include "process/routing_rules.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <optional>

#include "process/netlink.h"

namespace ckpt {

namespace {

constexpr uint32_t kNotSuppressed = ~uint32_t{0};

// Linux, net/ipv4/fib_rules.c, net/ipv6/fib6_rules.c, net/ipv4/ipmr.c and net/ipv6/ip6mr.c.
constexpr std::array<RoutingRule, 7> kRulesOfTheKernel = {{
    {AF_INET, 0, RT_TABLE_LOCAL, true},
    {AF_INET, 32766, RT_TABLE_MAIN, true},
    {AF_INET, 32767, RT_TABLE_DEFAULT, true},
    {AF_INET6, 0, RT_TABLE_LOCAL, true},
    {AF_INET6, 32766, RT_TABLE_MAIN, true},
    {RTNL_FAMILY_IPMR, 32767, RT_TABLE_DEFAULT, true},
    {RTNL_FAMILY_IP6MR, 32767, RT_TABLE_MAIN, true},
}};

// Attributes that leave a rule one that takes all packets.
bool IsNeutral(const NetlinkAttribute& attribute) {
  switch (attribute.type) {
    case FRA_PRIORITY:
    case FRA_TABLE:
    case FRA_PROTOCOL:
    case FRA_PAD:
      return true;
    case FRA_SUPPRESS_PREFIXLEN:
    case FRA_SUPPRESS_IFGROUP:
      return ByteReader(attribute.value).ReadU32() == kNotSuppressed;
    default:
      return false;
  }
}

std::optional<RoutingRule> ParseRule(Bytes payload) {
  ByteReader reader(payload);
  const auto head = ReadNetlinkHeader<fib_rule_hdr>(reader);
  if (!head) return std::nullopt;
  const Bytes attributes = reader.ReadRest();
  RoutingRule rule;
  rule.family = head->family;
  rule.priority = FindNetlinkU32(attributes, FRA_PRIORITY).value_or(0);
  rule.table = FindNetlinkU32(attributes, FRA_TABLE).value_or(head->table);
  const bool has_selector = head->dst_len != 0 || head->src_len != 0 || head->tos != 0 ||
                            (head->flags & ~uint32_t{FIB_RULE_PERMANENT}) != 0;
  rule.takes_all = head->action == FR_ACT_TO_TBL && !has_selector &&
                   std::ranges::all_of(ListNetlinkAttributes(attributes), IsNeutral);
  return rule;
}

std::string NameOf(uint8_t family) {
  switch (family) {
    case AF_INET:
      return "IPv4";
    case AF_INET6:
      return "IPv6";
    case RTNL_FAMILY_IPMR:
      return "IPv4 multicast";
    case RTNL_FAMILY_IP6MR:
      return "IPv6 multicast";
    default:
      return fmt::format("family {}", family);
  }
}

std::string Describe(const RoutingRule& rule) {
  return fmt::format("{} routing rule {} (table {})", NameOf(rule.family), rule.priority,
                     rule.table);
}

}  // namespace

Result<std::vector<RoutingRule>> ParseRoutingRules(std::string_view messages) {
  std::vector<RoutingRule> rules;
  CKPT_TRY(const std::vector<NetlinkMessage> parsed, ParseNetlink(messages));
  for (const NetlinkMessage& message : parsed) {
    if (message.type != RTM_NEWRULE) continue;
    const auto rule = ParseRule(message.payload);
    if (!rule) return CutShort(message.offset);
    rules.push_back(*rule);
  }
  return rules;
}

std::vector<std::string> DescribeRuleChanges(const std::vector<RoutingRule>& rules) {
  std::vector<std::string> changes;
  std::vector<RoutingRule> missing(kRulesOfTheKernel.begin(), kRulesOfTheKernel.end());
  for (const RoutingRule& rule : rules) {
    const auto found = std::ranges::find(missing, rule);
    if (found == missing.end()) {
      changes.push_back(Describe(rule));
    } else {
      missing.erase(found);
    }
  }
  for (const RoutingRule& rule : missing) {
    const bool has_family = std::ranges::any_of(
        rules, [&](const RoutingRule& other) { return other.family == rule.family; });
    if (has_family) changes.push_back("no " + Describe(rule));
  }
  return changes;
}

}  // namespace ckpt
