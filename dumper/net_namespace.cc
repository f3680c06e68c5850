#include "dumper/net_namespace.h"

#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <charconv>
#include <span>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "formats/net_sysctls.h"
#include "process/netlink.h"
#include "process/packet_rules.h"
#include "process/route_netlink.h"
#include "process/routing_rules.h"

namespace ckpt {

namespace {

using Entries = google::protobuf::RepeatedPtrField<pb::sysctl_entry>;

// What the output of `ip address save` begins with (iproute2, ip/ipaddress.c), little-endian.
constexpr std::string_view kAddressesMagic("\x22\x12\x36\x47", 4);

bool IsText(std::string_view name) { return name == "stable_secret"; }

// One that cannot be read (the kernel has none of this name, or none was set) has no value.
void AddSysctl(const std::string& directory, std::string_view name, bool text, Entries& entries) {
  pb::sysctl_entry& entry = *entries.Add();
  entry.set_type(text ? pb::CTL_STR : pb::CTL_32);
  const Result<std::string> value = ReadWholeFile(fmt::format("{}/{}", directory, name));
  if (value.has_error()) return;
  if (text) {
    entry.set_sarg(value.value());
    return;
  }
  int32_t number = 0;
  const std::string& digits = value.value();
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (parsed.ec == std::errc()) entry.set_iarg(number);
}

void AddSysctls(const std::string& directory, std::span<const std::string_view> names,
                Entries& entries) {
  for (const std::string_view name : names) AddSysctl(directory, name, IsText(name), entries);
}

pb::netns_entry ReadSysctls(const std::string& net) {
  pb::netns_entry entry;
  AddSysctls(net + "/ipv4/conf/default", kNetConf4, *entry.mutable_def_conf4());
  AddSysctls(net + "/ipv4/conf/all", kNetConf4, *entry.mutable_all_conf4());
  AddSysctls(net + "/ipv6/conf/default", kNetConf6, *entry.mutable_def_conf6());
  AddSysctls(net + "/ipv6/conf/all", kNetConf6, *entry.mutable_all_conf6());
  AddSysctls(net + "/unix", kNetUnixConf, *entry.mutable_unix_conf());
  for (const std::string_view name : kNetIpv4Sysctls) {
    AddSysctl(net + "/ipv4", name, true, *entry.mutable_ipv4_sysctl());
  }
  return entry;
}

pb::net_device_entry BuildLoopback(const NetDevice& device, const std::string& net) {
  pb::net_device_entry entry;
  entry.set_type(pb::LOOPBACK);
  entry.set_ifindex(device.index);
  entry.set_mtu(device.mtu);
  entry.set_flags(device.flags);
  entry.set_name(device.name);
  AddSysctls(net + "/ipv4/conf/" + device.name, kNetConf4, *entry.mutable_conf4());
  AddSysctls(net + "/ipv6/conf/" + device.name, kNetConf6, *entry.mutable_conf6());
  return entry;
}

Result<> RefuseRoutes(Refusals& refusals) {
  for (const int family : {AF_INET, AF_INET6}) {
    CKPT_TRY(const std::string messages,
             DumpRouteNetlink(RTM_GETROUTE, static_cast<uint8_t>(family)));
    CKPT_TRY(const bool found, HasRoutes(messages));
    if (found) {
      refusals.Add("IPv{} routes in its network namespace: not supported yet",
                   family == AF_INET ? 4 : 6);
    }
  }
  return success();
}

Result<std::vector<RoutingRule>> ReadRoutingRules() {
  CKPT_TRY(const std::string messages, OrNoMessages(DumpRouteNetlink(RTM_GETRULE, AF_UNSPEC)));
  return ParseRoutingRules(messages);
}

// What the images could not bring back.
Result<> RefuseRules(const std::string& proc, Refusals& refusals) {
  CKPT_TRY(const std::vector<RoutingRule> routing_rules, ReadRoutingRules());
  CKPT_TRY(const std::vector<std::string> packet_rules, ListPacketRules(proc));
  for (const auto& list : {DescribeRuleChanges(routing_rules), packet_rules}) {
    for (const std::string& rule : list) {
      refusals.Add("{} in its network namespace: not supported yet", rule);
    }
  }
  return success();
}

}  // namespace

Result<NetNamespace> ReadNetNamespace(const std::string& proc, Refusals& refusals) {
  const std::string net = proc + "/sys/net";
  NetNamespace found;
  CKPT_TRY(const std::string links, DumpRouteNetlink(RTM_GETLINK, AF_UNSPEC));
  CKPT_TRY(const std::vector<NetDevice> devices, ParseNetDevices(links));
  for (const NetDevice& device : devices) {
    if (device.type == ARPHRD_LOOPBACK) {
      found.loopback = BuildLoopback(device, net);
    } else {
      refusals.Add("network device {} ({}) in its network namespace: only lo is supported yet",
                   device.name, device.kind.empty() ? "of the hardware" : device.kind);
    }
  }
  CKPT_TRY(RefuseRoutes(refusals));
  CKPT_TRY(RefuseRules(proc, refusals));
  CKPT_TRY(found.addresses, DumpRouteNetlink(RTM_GETADDR, AF_UNSPEC));
  found.addresses.insert(0, kAddressesMagic);
  found.sysctls = ReadSysctls(net);
  return found;
}

}  // namespace ckpt
