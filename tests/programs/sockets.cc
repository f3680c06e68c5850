// Sockets of all families in a network namespace of its own, with what they hold: unix ones of each
// type that listen, are connected, have queues and descriptors in them; TCP that listens and is
// connected, UDP, packet and netlink sockets, and the other end of a tun device.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr uint16_t kTcpPort = 8080;
constexpr uint16_t kUdpPort = 5353;

int Socket(int family, int type, int protocol = 0) {
  const int fd = socket(family, type | SOCK_CLOEXEC, protocol);
  REQUIRE(fd >= 0);
  return fd;
}

void Send(int fd, const std::string& text) {
  REQUIRE(send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

std::string Receive(int fd) {
  char bytes[256] = {};
  const ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
  return got < 0 ? "(error)" : std::string(bytes, static_cast<size_t>(got));
}

void RaiseLoopback() {
  const int fd = Socket(AF_INET, SOCK_DGRAM);
  ifreq request = {};
  strcpy(request.ifr_name, "lo");
  REQUIRE(ioctl(fd, SIOCGIFFLAGS, &request) == 0);
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  REQUIRE(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
  close(fd);
}

struct UnixAddress {
  // `name` with a zero byte in front is abstract.
  explicit UnixAddress(const std::string& name) {
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, name.data(), name.size());
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  sockaddr_un address = {};
  socklen_t size = 0;
};

int BoundUnix(int type, const std::string& name) {
  const UnixAddress address(name);
  const int fd = Socket(AF_UNIX, type);
  REQUIRE(bind(fd, address.get(), address.size) == 0);
  return fd;
}

int ConnectedUnix(int type, const std::string& name) {
  const UnixAddress address(name);
  const int fd = Socket(AF_UNIX, type);
  REQUIRE(connect(fd, address.get(), address.size) == 0);
  return fd;
}

void SendDescriptor(int socket, int fd) {
  char byte = 'd';
  iovec part = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  REQUIRE(sendmsg(socket, &message, 0) == 1);
}

struct UnixSockets {
  int listening = BoundUnix(SOCK_STREAM, "stream.sock");
  int listening_packets = BoundUnix(SOCK_SEQPACKET, "packets.sock");
  int bound = BoundUnix(SOCK_DGRAM, std::string("\0abstract name", 14));
  int client = -1, accepted = -1, packet_client = -1, packet_accepted = -1, sender = -1;
  int carrier[2] = {-1, -1};
};

UnixSockets MakeUnixSockets() {
  UnixSockets made;
  REQUIRE(listen(made.listening, 8) == 0 && listen(made.listening_packets, 4) == 0);
  made.client = ConnectedUnix(SOCK_STREAM, "stream.sock");
  made.accepted = accept4(made.listening, nullptr, nullptr, SOCK_NONBLOCK);
  made.packet_client = ConnectedUnix(SOCK_SEQPACKET, "packets.sock");
  made.packet_accepted = accept4(made.listening_packets, nullptr, nullptr, SOCK_CLOEXEC);
  REQUIRE(made.accepted >= 0 && made.packet_accepted >= 0);
  made.sender = ConnectedUnix(SOCK_DGRAM, std::string("\0abstract name", 14));
  Send(made.client, "to the server");
  Send(made.accepted, "to the client");
  Send(made.packet_client, "one");
  Send(made.packet_client, "two");
  Send(made.sender, "datagram");
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, made.carrier) == 0);
  const int carried = open("carried", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  REQUIRE(carried >= 0);
  SendDescriptor(made.carrier[0], carried);
  close(carried);
  return made;
}

void ExpectUnixSockets(const UnixSockets& made) {
  EXPECT_SAME(Receive(made.accepted), "to the server");
  EXPECT_SAME(Receive(made.client), "to the client");
  EXPECT_SAME(Receive(made.packet_accepted), "one");
  EXPECT_SAME(Receive(made.packet_accepted), "two");
  EXPECT_SAME(Receive(made.bound), "datagram");
  EXPECT_SAME(Receive(made.carrier[1]), "d");
}

sockaddr_in Ipv4(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

sockaddr_in6 Ipv6(uint16_t port) {
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_addr = in6addr_loopback;
  return address;
}

template <typename Address>
void Bind(int fd, const Address& address) {
  const int on = 1;
  REQUIRE(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0);
  REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
}

template <typename Address>
void Connect(int fd, const Address& address) {
  REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
}

struct Stream {
  int listening, client, accepted;
};

template <typename Address>
Stream MakeStream(const Address& address, int family) {
  Stream made{Socket(family, SOCK_STREAM), Socket(family, SOCK_STREAM), -1};
  Bind(made.listening, address);
  REQUIRE(listen(made.listening, 3) == 0);
  Connect(made.client, address);
  made.accepted = accept4(made.listening, nullptr, nullptr, SOCK_CLOEXEC);
  REQUIRE(made.accepted >= 0);
  Send(made.client, "request");
  Send(made.accepted, "response");
  return made;
}

void ExpectStream(const Stream& made) {
  EXPECT_SAME(Receive(made.accepted), "request");
  EXPECT_SAME(Receive(made.client), "response");
}

void MakeDatagrams() {
  Bind(Socket(AF_INET, SOCK_DGRAM), Ipv4(kUdpPort));
  Bind(Socket(AF_INET6, SOCK_DGRAM), Ipv6(kUdpPort));
  Connect(Socket(AF_INET, SOCK_DGRAM), Ipv4(kUdpPort));
}

void MakePacketSockets() {
  const int raw = Socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex("lo"));
  REQUIRE(bind(raw, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  packet_mreq group = {};
  group.mr_ifindex = address.sll_ifindex;
  group.mr_type = PACKET_MR_PROMISC;
  REQUIRE(setsockopt(raw, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof(group)) == 0);
  Socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));
}

void MakeNetlinkSockets() {
  const int route = Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_NEIGH;  // of which nothing is told here
  REQUIRE(bind(route, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  Socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);
}

void MakeTun() {
  REQUIRE(mknod("tun", S_IFCHR | 0600, makedev(10, 200)) == 0);
  const int fd = open("tun", O_RDWR | O_CLOEXEC);
  REQUIRE(fd >= 0);
  ifreq request = {};
  strcpy(request.ifr_name, "ckpt0");
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  REQUIRE(ioctl(fd, TUNSETIFF, &request) == 0);
}

void Run() {
  RaiseLoopback();
  const UnixSockets local = MakeUnixSockets();
  const Stream ipv4 = MakeStream(Ipv4(kTcpPort), AF_INET);
  const Stream ipv6 = MakeStream(Ipv6(kTcpPort + 1), AF_INET6);
  MakeDatagrams();
  MakePacketSockets();
  MakeNetlinkSockets();
  MakeTun();

  ReadyAndAwaitGo();

  ExpectUnixSockets(local);
  ExpectStream(ipv4);
  ExpectStream(ipv6);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
