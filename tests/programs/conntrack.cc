// Tables of connections of a network namespace of its own: a connection that the kernel follows,
// and one that it expects to follow from it, told to it as conntrack(8) does.
#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr uint32_t kTimeoutSeconds = 100'000;  // not to expire during the test

template <typename T>
std::string BytesOf(const T& value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string Attribute(int type, const std::string& payload) {
  const nlattr header = {static_cast<uint16_t>(sizeof(nlattr) + payload.size()),
                         static_cast<uint16_t>(type)};
  std::string bytes = BytesOf(header) + payload;
  bytes.resize(NLA_ALIGN(bytes.size()), '\0');
  return bytes;
}

std::string Nest(int type, const std::string& attributes) {
  return Attribute(type | NLA_F_NESTED, attributes);
}

std::string Tuple(int type, uint32_t from, uint32_t to, uint16_t from_port, uint16_t to_port) {
  return Nest(
      type, Nest(CTA_TUPLE_IP, Attribute(CTA_IP_V4_SRC, BytesOf(htonl(from))) +
                                   Attribute(CTA_IP_V4_DST, BytesOf(htonl(to)))) +
                Nest(CTA_TUPLE_PROTO, Attribute(CTA_PROTO_NUM, BytesOf(uint8_t{IPPROTO_TCP})) +
                                          Attribute(CTA_PROTO_SRC_PORT, BytesOf(htons(from_port))) +
                                          Attribute(CTA_PROTO_DST_PORT, BytesOf(htons(to_port)))));
}

constexpr uint32_t kClient = 0x0a000001;
constexpr uint32_t kServer = 0x0a000002;

std::string Connection() {
  constexpr uint8_t kEstablished = 3;
  return Tuple(CTA_TUPLE_ORIG, kClient, kServer, 40'000, 21) +
         Tuple(CTA_TUPLE_REPLY, kServer, kClient, 21, 40'000) +
         Attribute(CTA_STATUS, BytesOf(htonl(IPS_CONFIRMED | IPS_ASSURED | IPS_SEEN_REPLY))) +
         Attribute(CTA_TIMEOUT, BytesOf(htonl(kTimeoutSeconds))) +
         Nest(CTA_PROTOINFO,
              Nest(CTA_PROTOINFO_TCP, Attribute(CTA_PROTOINFO_TCP_STATE, BytesOf(kEstablished)))) +
         Nest(CTA_HELP, Attribute(CTA_HELP_NAME, std::string("ftp", 4)));
}

std::string Expectation() {
  return Tuple(CTA_EXPECT_MASTER, kClient, kServer, 40'000, 21) +
         Tuple(CTA_EXPECT_TUPLE, kServer, kClient, 0, 50'000) +
         Tuple(CTA_EXPECT_MASK, ~0U, ~0U, 0, 0xffff) +
         Attribute(CTA_EXPECT_TIMEOUT, BytesOf(htonl(kTimeoutSeconds)));
}

std::string Request(uint16_t subsystem, uint16_t type, uint16_t flags,
                    const std::string& attributes) {
  nlmsghdr header = {};
  header.nlmsg_len = static_cast<uint32_t>(NLMSG_LENGTH(sizeof(nfgenmsg)) + attributes.size());
  header.nlmsg_type = static_cast<uint16_t>(subsystem << 8 | type);
  header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  const nfgenmsg family = {AF_INET, NFNETLINK_V0, 0};
  return BytesOf(header) + BytesOf(family) + attributes;
}

// The first answer of the kernel.
std::string Ask(const std::string& request) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  REQUIRE(fd >= 0);
  REQUIRE(send(fd, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
  char answer[8192] = {};
  const ssize_t got = recv(fd, answer, sizeof(answer), 0);
  REQUIRE(got > static_cast<ssize_t>(sizeof(nlmsghdr)));
  close(fd);
  return std::string(answer, static_cast<size_t>(got));
}

void Add(uint16_t subsystem, uint16_t type, const std::string& attributes) {
  const std::string answer =
      Ask(Request(subsystem, type, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, attributes));
  int error = -1;
  memcpy(&error, answer.data() + sizeof(nlmsghdr), sizeof(error));
  EXPECT_EQUAL(error, 0);
  REQUIRE(error == 0);
}

// Whether the table has an entry.
bool HasEntry(uint16_t subsystem, uint16_t type) {
  const std::string answer = Ask(Request(subsystem, type, NLM_F_DUMP, ""));
  nlmsghdr header = {};
  memcpy(&header, answer.data(), sizeof(header));
  return header.nlmsg_type >> 8 == subsystem;
}

void Run() {
  Add(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW, Connection());
  Add(NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_NEW, Expectation());

  ReadyAndAwaitGo();

  EXPECT(HasEntry(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET));
  EXPECT(HasEntry(NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_GET));
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
