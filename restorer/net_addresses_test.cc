#include "restorer/net_addresses.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include <string>

namespace ckpt {
namespace {

const std::string kMagic = "\x22\x12\x36\x47";

template <typename T>
std::string BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

// A message as the kernel gives it.
std::string Address(const std::string& text, uint8_t prefix, uint32_t device = 1) {
  in_addr number{};
  EXPECT_EQ(inet_pton(AF_INET, text.c_str(), &number), 1);
  ifaddrmsg address{};
  address.ifa_family = AF_INET;
  address.ifa_prefixlen = prefix;
  address.ifa_index = device;
  std::string payload = BytesOf(address);
  for (const uint16_t type : {IFA_ADDRESS, IFA_LOCAL}) {
    payload += BytesOf(rtattr{.rta_len = 8, .rta_type = type}) + BytesOf(number);
  }
  nlmsghdr header{};
  header.nlmsg_len = static_cast<uint32_t>(sizeof(header) + payload.size());
  header.nlmsg_type = RTM_NEWADDR;
  return BytesOf(header) + payload;
}

std::string ErrorOf(const std::string& bytes) {
  const auto parsed = ParseAddresses(bytes, "ifaddr-9.img");
  return parsed.has_error() ? parsed.error().message : "";
}

TEST(NetAddressesTest, AddressesThatTheKernelDoesNotMakeAreKept) {
  const std::string own = Address("10.1.2.3", 24);
  const auto parsed =
      ParseAddresses(kMagic + Address("127.0.0.1", 8) + own + Address("127.0.0.2", 8), "image");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  ASSERT_EQ(parsed.value().size(), 2U);
  EXPECT_EQ(parsed.value().front(), own);
}

TEST(NetAddressesTest, AnEmptyImageHasNone) {
  EXPECT_TRUE(ParseAddresses("", "image").value().empty());
  EXPECT_TRUE(ParseAddresses(kMagic, "image").value().empty());
}

TEST(NetAddressesTest, AnotherMagicNumberIsAnError) {
  EXPECT_EQ(ErrorOf("magic"), "ifaddr-9.img: does not begin with 0x47361222");
}

TEST(NetAddressesTest, AddressesOfOtherDevicesAreRefused) {
  EXPECT_EQ(ErrorOf(kMagic + Address("10.1.2.3", 24, 7)),
            "ifaddr-9.img: an address of device 7 is not supported");
}

std::string Route(uint8_t protocol) {
  rtmsg route{};
  route.rtm_family = AF_INET;
  route.rtm_protocol = protocol;
  nlmsghdr header{};
  header.nlmsg_len = sizeof(header) + sizeof(route);
  header.nlmsg_type = RTM_NEWROUTE;
  return BytesOf(header) + BytesOf(route);
}

// Sends all packets to `table`.
std::string Rule(uint32_t priority, uint8_t table) {
  fib_rule_hdr rule{};
  rule.family = AF_INET;
  rule.table = table;
  rule.action = FR_ACT_TO_TBL;
  nlmsghdr header{};
  header.nlmsg_len = sizeof(header) + sizeof(rule) + sizeof(rtattr) + sizeof(priority);
  header.nlmsg_type = RTM_NEWRULE;
  return BytesOf(header) + BytesOf(rule) + BytesOf(rtattr{.rta_len = 8, .rta_type = FRA_PRIORITY}) +
         BytesOf(priority);
}

TEST(NetAddressesTest, RoutesOfTheKernelAreNotAddedOnes) {
  const std::string magic = "\x24\x12\x31\x45";
  EXPECT_FALSE(HasAddedRoutes("", "image").value());
  EXPECT_FALSE(HasAddedRoutes(magic + Route(RTPROT_KERNEL), "image").value());
  EXPECT_TRUE(HasAddedRoutes(magic + Route(RTPROT_KERNEL) + Route(RTPROT_BOOT), "image").value());
  EXPECT_EQ(HasAddedRoutes(kMagic, "route-9.img").error().message,
            "route-9.img: does not begin with 0x45311224");
}

TEST(NetAddressesTest, RulesOfTheKernelAreNotChangedOnes) {
  const std::string magic = "\x86\x69\x70\x71";
  const std::string of_kernel = Rule(0, RT_TABLE_LOCAL) + Rule(32766, RT_TABLE_MAIN);
  EXPECT_FALSE(HasChangedRules("", "image").value());
  EXPECT_FALSE(HasChangedRules(magic + of_kernel + Rule(32767, RT_TABLE_DEFAULT), "image").value());
  EXPECT_TRUE(HasChangedRules(magic + of_kernel, "image").value());
  EXPECT_TRUE(HasChangedRules(magic + of_kernel + Rule(7, RT_TABLE_DEFAULT), "image").value());
  EXPECT_EQ(HasChangedRules(kMagic, "rule-9.img").error().message,
            "rule-9.img: does not begin with 0x71706986");
}

TEST(NetAddressesTest, NoPrefixOfAnImageIsReadPastItsEnd) {
  const std::string whole = kMagic + Address("10.1.2.3", 24);
  for (size_t size = kMagic.size() + 1; size < whole.size(); ++size) {
    EXPECT_NE(ErrorOf(whole.substr(0, size)), "") << size;
  }
  std::string longer = whole;
  longer[kMagic.size()] = '\x7f';
  EXPECT_EQ(ErrorOf(longer), "ifaddr-9.img: message at offset 4: its length is 127 bytes");
}

}  // namespace
}  // namespace ckpt
