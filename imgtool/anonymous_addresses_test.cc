#include "imgtool/anonymous_addresses.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>

#include <array>
#include <vector>

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string Bytes(const std::string& text) {
  const bool is_v6 = text.find(':') != std::string::npos;
  std::string bytes(is_v6 ? 16 : 4, '\0');
  EXPECT_EQ(inet_pton(is_v6 ? AF_INET6 : AF_INET, text.c_str(), bytes.data()), 1) << text;
  return bytes;
}

std::string Text(const std::string& bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

std::vector<std::string> Changed(const std::vector<std::string>& texts) {
  std::set<std::string> addresses;
  for (const std::string& text : texts) addresses.insert(Bytes(text));
  std::vector<std::string> changed;
  for (const auto& [from, to] : AnonymousAddresses(addresses)) {
    changed.push_back(Text(from) + "=" + Text(to));
  }
  return changed;
}

TEST(AnonymousAddressesTest, AreNumberedInTheOrderOfBytes) {
  EXPECT_THAT(Changed({"192.168.7.9", "8.8.8.8", "2a01::77", "fe80::1"}),
              ElementsAre("8.8.8.8=10.0.0.1", "2a01::77=2001:db8::1", "192.168.7.9=10.0.0.2",
                          "fe80::1=2001:db8::2"));
}

TEST(AnonymousAddressesTest, ThoseOfIpv4WithinIpv6AreTheSameThere) {
  EXPECT_THAT(Changed({"8.8.8.8", "::ffff:8.8.8.8", "::ffff:9.9.9.9"}),
              ElementsAre("::ffff:8.8.8.8=::ffff:10.0.0.1", "::ffff:9.9.9.9=::ffff:10.0.0.2",
                          "8.8.8.8=10.0.0.1", "9.9.9.9=10.0.0.2"));
}

TEST(AnonymousAddressesTest, ThoseThatMeanTheSameEverywhereStay) {
  EXPECT_THAT(Changed({"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1",
                       "ff02::1", "::ffff:127.0.0.1"}),
              IsEmpty());
  EXPECT_THAT(AnonymousAddresses({"", std::string(8, 'x')}), IsEmpty());
}

TEST(AnonymousAddressesTest, ASecondTimeNothingChanges) {
  for (const std::string& rule : Changed({"10.0.0.1", "10.0.0.2", "2001:db8::1"})) {
    EXPECT_EQ(rule.substr(0, rule.find('=')), rule.substr(rule.find('=') + 1));
  }
}

TEST(AnonymousAddressesTest, HundredsHaveAddressesOfTheirOwn) {
  std::set<std::string> addresses;
  for (uint32_t number = 0; number < 700; ++number) {
    const uint32_t word = htonl(0x08080000 + number);
    addresses.emplace(reinterpret_cast<const char*>(&word), sizeof word);
  }
  std::set<std::string> changed;
  for (const auto& [from, to] : AnonymousAddresses(addresses)) changed.insert(Text(to));
  EXPECT_EQ(changed.size(), addresses.size());
  EXPECT_TRUE(changed.contains("10.0.2.188"));
}

}  // namespace
}  // namespace ckpt
