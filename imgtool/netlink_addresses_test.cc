#include "imgtool/netlink_addresses.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

constexpr std::string_view kOld("\x0a\0\0\1", 4);
constexpr std::string_view kNew("\xc0\xa8\0\1", 4);

template <typename T>
std::string Bytes(T number) {
  return std::string(reinterpret_cast<const char*>(&number), sizeof number);
}

std::string Attribute(uint16_t type, std::string_view value) {
  return Bytes(static_cast<uint16_t>(4 + value.size())) + Bytes(type) + std::string(value);
}

std::string Message(uint16_t type, size_t head_bytes, const std::string& attributes) {
  const std::string body = std::string(head_bytes, 'h') + attributes;
  return Bytes(static_cast<uint32_t>(16 + body.size())) + Bytes(type) + std::string(10, 'n') + body;
}

// RTM_NEWADDR with IFA_ADDRESS, IFA_LABEL and IFA_LOCAL; RTM_NEWROUTE with RTA_OIF and RTA_GATEWAY.
std::string Addresses(std::string_view address) {
  return Bytes(uint32_t{0x47361222}) +
         Message(20, 8, Attribute(1, address) + Attribute(3, kOld) + Attribute(2, address)) +
         Message(24, 12, Attribute(4, kOld) + Attribute(5, address));
}

std::optional<std::string> Change(std::string_view address) {
  if (address != kOld) return std::nullopt;
  return std::string(kNew);
}

TEST(NetlinkAddressesTest, OnlyAttributesThatAreAddressesChange) {
  const auto changed = ChangeNetlinkAddresses(Addresses(kOld), Change).value();
  EXPECT_EQ(changed.count, 3U);
  EXPECT_TRUE(changed.bytes == Addresses(kNew));
  EXPECT_EQ(ChangeNetlinkAddresses(changed.bytes, Change).value().count, 0U);
}

TEST(NetlinkAddressesTest, NoPrefixIsReadPastItsEnd) {
  const std::string whole = Addresses(kOld);
  EXPECT_EQ(ChangeNetlinkAddresses("", Change).value().count, 0U);
  for (size_t length = 1; length < whole.size(); ++length) {
    const auto changed = ChangeNetlinkAddresses(whole.substr(0, length), Change);
    if (changed) {
      EXPECT_EQ(changed.value().bytes.size(), length);
    }
  }
  EXPECT_EQ(ChangeNetlinkAddresses("abcd", Change).error().message,
            "magic 0x64636261, 0x47361222 or 0x45311224 expected");
  EXPECT_EQ(ChangeNetlinkAddresses(whole.substr(0, 30), Change).error().message,
            "at offset 4: length 48, of 26 bytes that are left");
}

}  // namespace
}  // namespace ckpt
