#include "process/route_netlink.h"

#include <gmock/gmock.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process/child_for_test.h"
#include "process/joined_namespaces.h"

namespace ckpt {
namespace {

TEST(RouteNetlink, ANewNamespaceHasALoopbackDeviceThatIsDown) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make namespaces";
  const ChildForTest child([](const auto& ready) {
    if (unshare(CLONE_NEWNET) != 0) return 1;
    ready();
    return pause();
  });
  std::string links;
  std::string routes;
  const Result<> asked = RunInNamespacesOf(child.pid(), CLONE_NEWNET, [&]() -> Result<> {
    CKPT_TRY(links, DumpRouteNetlink(RTM_GETLINK, AF_UNSPEC));
    CKPT_TRY(routes, DumpRouteNetlink(RTM_GETROUTE, AF_INET));
    return success();
  });
  ASSERT_TRUE(asked.has_value()) << asked.error().message;
  const std::vector<NetDevice> devices = ParseNetDevices(links).value();
  ASSERT_EQ(devices.size(), 1U);
  EXPECT_EQ(devices[0].name, "lo");
  EXPECT_EQ(devices[0].mtu, 65536U);
  EXPECT_EQ(devices[0].flags & IFF_UP, 0U);
  EXPECT_NE(devices[0].flags & IFF_LOOPBACK, 0U);
  EXPECT_FALSE(HasRoutes(routes).value());
}

TEST(RouteNetlink, EveryPrefixOfAnAnswerIsAnErrorOrShorter) {
  const std::string links = DumpRouteNetlink(RTM_GETLINK, AF_UNSPEC).value();
  const size_t count = ParseNetDevices(links).value().size();
  for (size_t size = 0; size < links.size(); ++size) {
    const auto devices = ParseNetDevices(std::string_view(links).substr(0, size));
    if (devices.has_value()) {
      EXPECT_LE(devices.value().size(), count);
    } else {
      EXPECT_THAT(devices.error().message, testing::HasSubstr("is cut short"));
    }
  }
}

}  // namespace
}  // namespace ckpt
