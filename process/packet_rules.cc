#include "process/packet_rules.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <sys/socket.h>

#include <span>
#include <string_view>

#include "process/netlink.h"
#include "process/xtables.h"

namespace ckpt {

namespace {

std::string_view NameOf(uint8_t family) {
  switch (family) {
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    case NFPROTO_ARP:
      return "arp";
    case NFPROTO_BRIDGE:
      return "bridge";
    case NFPROTO_NETDEV:
      return "netdev";
    default:
      return "of another family";
  }
}

Result<> AddNftables(std::vector<std::string>& rules) {
  constexpr uint16_t kRequest = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE;
  const nfgenmsg body{.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = 0};
  CKPT_TRY(const std::string answer, OrNoMessages(DumpNetlink(NETLINK_NETFILTER, kRequest,
                                                              std::as_bytes(std::span(&body, 1)))));
  CKPT_TRY(const std::vector<NetlinkMessage> messages, ParseNetlink(answer));
  for (const NetlinkMessage& message : messages) {
    ByteReader reader(message.payload);
    const auto head = ReadNetlinkHeader<nfgenmsg>(reader);
    if (!head) continue;
    rules.push_back(fmt::format("nftables table {} {}", NameOf(head->nfgen_family),
                                FindNetlinkText(reader.ReadRest(), NFTA_TABLE_NAME).value_or("")));
  }
  return success();
}

Result<> AddIpsec(uint16_t request, std::string_view what, std::vector<std::string>& rules) {
  CKPT_TRY(const std::string answer, OrNoMessages(DumpNetlink(NETLINK_XFRM, request, {})));
  if (!answer.empty()) rules.emplace_back(what);
  return success();
}

}  // namespace

Result<std::vector<std::string>> ListPacketRules(const std::string& proc) {
  CKPT_TRY(std::vector<std::string> rules, ListChangedXtables(proc));
  CKPT_TRY(AddNftables(rules));
  CKPT_TRY(AddIpsec(XFRM_MSG_GETPOLICY, "IPsec policies", rules));
  CKPT_TRY(AddIpsec(XFRM_MSG_GETSA, "IPsec associations", rules));
  return rules;
}

}  // namespace ckpt
