#include "imgtool/firewall_addresses.h"

#include <gmock/gmock.h>

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::map<std::string, std::string> kAddresses = {
    {"10.0.0.1", "10.0.0.2"}, {"10.0.0.2", "172.16.0.9"}, {"2001:db8::1", "2001:db8::7"}};

ChangedRules Iptables(std::string_view text) {
  return ChangeFirewallAddresses(text, FirewallSyntax::kIptables, kAddresses);
}
ChangedRules Nftables(std::string_view text) {
  return ChangeFirewallAddresses(text, FirewallSyntax::kNftables, kAddresses);
}

TEST(FirewallAddressesTest, HostsOfIptablesChangeOnce) {
  const ChangedRules changed = Iptables(
      "*nat\n:POSTROUTING ACCEPT [0:0]\n"
      "-A INPUT -s 10.0.0.1/32 ! -d 10.0.0.2/32 -p tcp -j ACCEPT\n"
      "-A POSTROUTING -j SNAT --to-source 10.0.0.1:80-90\n"
      "-A PREROUTING -s 2001:db8::1/128 -j DNAT --to-destination [2001:db8::1]:80\nCOMMIT\n");
  EXPECT_EQ(changed.text,
            "*nat\n:POSTROUTING ACCEPT [0:0]\n"
            "-A INPUT -s 10.0.0.2/32 ! -d 172.16.0.9/32 -p tcp -j ACCEPT\n"
            "-A POSTROUTING -j SNAT --to-source 10.0.0.2:80-90\n"
            "-A PREROUTING -s 2001:db8::7/128 -j DNAT --to-destination [2001:db8::7]:80\nCOMMIT\n");
  EXPECT_EQ(changed.count, 5U);
  EXPECT_THAT(changed.changed, ElementsAre("10.0.0.1", "10.0.0.2", "2001:db8::1"));
  EXPECT_THAT(changed.left, IsEmpty());
}

TEST(FirewallAddressesTest, WhatIsNoHostOfIptablesStaysAndIsNamed) {
  for (const char* rule :
       {"-A INPUT -s 10.0.0.1/24 -j DROP\n", "-A INPUT -m iprange --src-range 10.0.0.1-10.0.0.9\n",
        "-A INPUT -m comment --comment 10.0.0.1 -j DROP\n", ":TO-10.0.0.1 - [0:0]\n",
        "-A INPUT -j 10.0.0.1\n", "-A NET --to-source 10.0.0.1-10.0.0.3\n",
        "-A INPUT -m comment --comment \"for 10.0.0.1\"\n"}) {
    const ChangedRules changed = Iptables(rule);
    EXPECT_EQ(changed.text, rule);
    EXPECT_THAT(changed.left, ElementsAre("10.0.0.1")) << rule;
  }
}

TEST(FirewallAddressesTest, OtherAddressesAreNone) {
  for (const char* rule :
       {"-s 110.0.0.1/32", "-s 10.0.0.11/32", "-s 10.0.0.1.example", "-s ::ffff:10.0.0.1/128",
        "-s 2001:db8::12/128", "-s 1:2001:db8::1/128", "-s 2001:db8::1:2/128"}) {
    const ChangedRules changed = Iptables(rule);
    EXPECT_EQ(changed.text, rule);
    EXPECT_THAT(changed.left, IsEmpty()) << rule;
  }
}

TEST(FirewallAddressesTest, HostsOfNftablesAreWords) {
  const ChangedRules changed = Nftables(
      "table ip nat {\n\tset hosts {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.1, 10.0.0.2,\n"
      "\t\t\t     10.0.0.3 }\n\t}\n\tip saddr 10.0.0.1 dnat to 10.0.0.2:80\n"
      "\tip6 saddr 2001:db8::1 drop\n}\n");
  EXPECT_EQ(changed.text,
            "table ip nat {\n\tset hosts {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.2, "
            "172.16.0.9,\n"
            "\t\t\t     10.0.0.3 }\n\t}\n\tip saddr 10.0.0.2 dnat to 172.16.0.9:80\n"
            "\tip6 saddr 2001:db8::7 drop\n}\n");
  EXPECT_THAT(changed.left, IsEmpty());
}

TEST(FirewallAddressesTest, WhatIsNoHostOfNftablesStaysAndIsNamed) {
  for (const char* rule : {"ip saddr 10.0.0.1/24 drop\n", "ip saddr 10.0.0.1-10.0.0.9 drop\n",
                           "ip saddr 10.0.0.0-10.0.0.1 drop\n",
                           "drop comment \"to 10.0.0.1 only\"\n", "jump to-10.0.0.1\n"}) {
    const ChangedRules changed = Nftables(rule);
    EXPECT_EQ(changed.text, rule);
    EXPECT_THAT(changed.left, ElementsAre("10.0.0.1")) << rule;
  }
}

}  // namespace
}  // namespace ckpt
