#include "process/routing_rules.h"

#include <gmock/gmock.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "process/child_for_test.h"
#include "process/joined_namespaces.h"
#include "process/route_netlink.h"

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What DescribeRuleChanges() says of a new network namespace in which `command` was run.
std::vector<std::string> ChangesAfter(const char* command) {
  const ChildForTest child([&](const auto& ready) {
    if (unshare(CLONE_NEWNET) != 0 || system(command) != 0) return 1;
    ready();
    return pause();
  });
  std::string messages;
  const Result<> asked = RunInNamespacesOf(child.pid(), CLONE_NEWNET, [&]() -> Result<> {
    CKPT_TRY(messages, DumpRouteNetlink(RTM_GETRULE, AF_UNSPEC));
    return success();
  });
  if (asked.has_error()) return {asked.error().message};
  return DescribeRuleChanges(ParseRoutingRules(messages).value());
}

TEST(RoutingRules, ANewNamespaceHasThoseOfTheKernel) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make namespaces";
  EXPECT_THAT(ChangesAfter("true"), IsEmpty());
}

TEST(RoutingRules, ThoseThatSomebodyAddedAreNamed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make namespaces";
  EXPECT_THAT(ChangesAfter("ip rule add pref 5 table 7 && "
                           "ip -6 rule add pref 9 from ::1 table main"),
              ElementsAre("IPv4 routing rule 5 (table 7)", "IPv6 routing rule 9 (table 254)"));
}

TEST(RoutingRules, ASelectorMakesARuleOfTheKernelAnotherOne) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make namespaces";
  EXPECT_THAT(
      ChangesAfter("ip rule del pref 32767 && ip rule add pref 32767 fwmark 3 table default"),
      ElementsAre("IPv4 routing rule 32767 (table 253)", "no IPv4 routing rule 32767 (table 253)"));
}

TEST(RoutingRules, AFamilyThatIsNotThereLacksNothing) {
  EXPECT_THAT(DescribeRuleChanges({}), IsEmpty());
  EXPECT_THAT(DescribeRuleChanges({{AF_INET6, 0, RT_TABLE_LOCAL, true}}),
              ElementsAre("no IPv6 routing rule 32766 (table 254)"));
}

}  // namespace
}  // namespace ckpt
