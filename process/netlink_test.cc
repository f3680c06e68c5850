#include "process/netlink.h"

#include <gmock/gmock.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <span>

namespace ckpt {
namespace {

using testing::HasSubstr;
using testing::Optional;

// Of no type that the kernel's lists end with.
std::string Message(uint16_t type, const std::string& payload) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<uint32_t>(sizeof(header) + payload.size());
  header.nlmsg_type = type;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
  return bytes + payload;
}

TEST(Netlink, EachMessageSaysWhereItBegins) {
  const std::string bytes =
      Message(20, "four") + Message(21, "sevens!") + std::string(1, '\0') + Message(22, "");
  const std::vector<NetlinkMessage> messages = ParseNetlink(bytes).value();
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[1].type, 21);
  EXPECT_EQ(messages[1].offset, 20U);
  EXPECT_EQ(AsText(messages[1].payload), "sevens!");
  EXPECT_EQ(messages[2].offset, 44U);
}

TEST(Netlink, AMessageThatRunsPastTheEndIsNamed) {
  const std::string bytes = Message(20, "four") + Message(21, "sevens!");
  for (size_t size = 21; size < bytes.size(); ++size) {
    EXPECT_EQ(ParseNetlink(std::string_view(bytes).substr(0, size)).error().message,
              "netlink message at byte 20 is cut short")
        << size;
  }
}

TEST(Netlink, AMessageIsNeverShorterThanItsHeader) {
  std::string bytes = Message(20, "four");
  bytes[0] = 15;
  EXPECT_THAT(ParseNetlink(bytes).error().message, HasSubstr("at byte 0 is cut short"));
}

TEST(Netlink, AnAttributeIsFoundByItsType) {
  // Types 1 and 2, the latter with the flag of nested attributes.
  const std::string bytes("\x07\0\x01\0ab\0\0\x08\0\x02\x80\x2a\0\0\0", 16);
  EXPECT_THAT(FindNetlinkText(AsBytes(bytes), 1), Optional(std::string("ab")));
  EXPECT_THAT(FindNetlinkU32(AsBytes(bytes), 2), Optional(42U));
  EXPECT_EQ(FindNetlinkU32(AsBytes(bytes), 3), std::nullopt);
  EXPECT_EQ(FindNetlinkU32(AsBytes(bytes).first(14), 2), std::nullopt);
}

TEST(Netlink, AProtocolThatTheKernelDoesNotHaveIsUnsupported) {
  constexpr int kNoProtocol = MAX_LINKS - 1;
  const auto answer = DumpNetlink(kNoProtocol, RTM_GETLINK, {});
  ASSERT_TRUE(answer.has_error());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace ckpt
