#include "process/packet_rules.h"

#include <gmock/gmock.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "process/child_for_test.h"
#include "process/joined_namespaces.h"

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// What is found in a new network namespace in which `command` was run; nothing where it failed.
std::optional<std::vector<std::string>> RulesAfter(const std::string& command) {
  const ChildForTest child([&](const auto& ready) {
    if (unshare(CLONE_NEWNET) != 0) return 1;
    const std::string script = "PATH=$PATH:/usr/sbin; { " + command + "; } >/dev/null 2>&1";
    if (system(script.c_str()) != 0) return 1;
    ready();
    return pause();
  });
  std::optional<std::vector<std::string>> rules;
  const Result<> joined = RunInNamespacesOf(child.pid(), CLONE_NEWNET, [&]() -> Result<> {
    const auto listed = ListPacketRules("/proc");
    rules = listed.has_value() ? listed.value() : std::vector{listed.error().message};
    return success();
  });
  return joined.has_error() ? std::nullopt : rules;
}

TEST(PacketRules, ANewNamespaceHasNone) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make namespaces";
  EXPECT_THAT(RulesAfter("true").value(), IsEmpty());
}

TEST(PacketRules, ATableThatWasOnlyLookedAtIsNoRule) {
  const auto rules = RulesAfter("iptables-legacy -L && ip6tables-legacy -t nat -L");
  if (!rules) GTEST_SKIP() << "iptables-legacy cannot list tables here";
  EXPECT_THAT(*rules, IsEmpty());
}

TEST(PacketRules, RulesAndChainsAndPoliciesOfIptablesAreNamed) {
  const auto rules = RulesAfter(
      "iptables-legacy -A INPUT -s 192.0.2.1 -j DROP && iptables-legacy -t nat -N mine && "
      "ip6tables-legacy -P OUTPUT DROP");
  if (!rules) GTEST_SKIP() << "iptables-legacy cannot change tables here";
  EXPECT_THAT(*rules, UnorderedElementsAre("iptables table filter", "iptables table nat",
                                           "ip6tables table filter"));
}

TEST(PacketRules, TablesOfNftablesAreNamed) {
  const auto rules = RulesAfter("iptables-nft -A INPUT -s 192.0.2.1 -j DROP");
  if (!rules) GTEST_SKIP() << "iptables-nft cannot add a rule here";
  EXPECT_THAT(*rules, ElementsAre("nftables table ip filter"));
}

TEST(PacketRules, PoliciesOfIpsecAreNamed) {
  const auto rules = RulesAfter("ip xfrm policy add dir out dst 192.0.2.0/24");
  if (!rules) GTEST_SKIP() << "ip cannot add an IPsec policy here";
  EXPECT_THAT(*rules, ElementsAre("IPsec policies"));
}

}  // namespace
}  // namespace ckpt
