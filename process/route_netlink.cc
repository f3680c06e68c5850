#include "process/route_netlink.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <optional>
#include <span>

#include "process/netlink.h"

namespace ckpt {

namespace {

std::optional<NetDevice> ParseNetDevice(Bytes payload) {
  ByteReader reader(payload);
  const auto info = ReadNetlinkHeader<ifinfomsg>(reader);
  if (!info) return std::nullopt;
  const Bytes attributes = reader.ReadRest();
  NetDevice device;
  device.index = static_cast<uint32_t>(info->ifi_index);
  device.type = info->ifi_type;
  device.flags = info->ifi_flags;
  device.name = FindNetlinkText(attributes, IFLA_IFNAME).value_or("");
  device.mtu = FindNetlinkU32(attributes, IFLA_MTU).value_or(0);
  if (const auto link = FindNetlinkAttribute(attributes, IFLA_LINKINFO)) {
    device.kind = FindNetlinkText(*link, IFLA_INFO_KIND).value_or("");
  }
  return device;
}

}  // namespace

Result<std::string> DumpRouteNetlink(uint16_t request, uint8_t family) {
  rtgenmsg body{};
  body.rtgen_family = family;
  return DumpNetlink(NETLINK_ROUTE, request, std::as_bytes(std::span(&body, 1)));
}

Result<std::vector<NetDevice>> ParseNetDevices(std::string_view messages) {
  std::vector<NetDevice> devices;
  CKPT_TRY(const std::vector<NetlinkMessage> parsed, ParseNetlink(messages));
  for (const NetlinkMessage& message : parsed) {
    if (message.type != RTM_NEWLINK) continue;
    const auto device = ParseNetDevice(message.payload);
    if (!device) return CutShort(message.offset);
    devices.push_back(*device);
  }
  return devices;
}

Result<bool> HasRoutes(std::string_view messages) {
  CKPT_TRY(const std::vector<NetlinkMessage> parsed, ParseNetlink(messages));
  for (const NetlinkMessage& message : parsed) {
    ByteReader body(message.payload);
    const auto route = ReadNetlinkHeader<rtmsg>(body);
    if (message.type != RTM_NEWROUTE || !route) continue;
    if (route->rtm_protocol != RTPROT_KERNEL) return true;
  }
  return false;
}

}  // namespace ckpt
