#include "process/unix_diag.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <string>

#include "base/file.h"

namespace ckpt {
namespace {

uint32_t InodeOf(int fd) {
  struct stat status {};
  fstat(fd, &status);
  return static_cast<uint32_t>(status.st_ino);
}

std::array<UniqueFd, 2> MakePair(int type) {
  std::array<int, 2> ends{};
  EXPECT_EQ(socketpair(AF_UNIX, type, 0, ends.data()), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UnixSockets ListOwn() {
  const UniqueFd own = OpenFile("/proc/thread-self/ns/net", O_RDONLY).value();
  return ListUnixSockets(own.get()).value();
}

TEST(UnixDiagTest, PairsAreEachOthersPeers) {
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
    const auto ends = MakePair(type);
    ASSERT_EQ(shutdown(ends[0].get(), SHUT_WR), 0);
    const UnixSockets sockets = ListOwn();
    const UnixSocket& first = sockets.at(InodeOf(ends[0].get()));
    const UnixSocket& second = sockets.at(InodeOf(ends[1].get()));
    EXPECT_EQ(first.type, type);
    EXPECT_EQ(first.state, TCP_ESTABLISHED);
    EXPECT_EQ(first.peer, second.inode);
    EXPECT_EQ(second.peer, first.inode);
    EXPECT_EQ(first.shutdown, 2);
    EXPECT_EQ(second.shutdown, type == SOCK_DGRAM ? 0 : 1);
    EXPECT_EQ(first.name, "");
  }
}

TEST(UnixDiagTest, AClosedPeerIsNone) {
  auto ends = MakePair(SOCK_STREAM);
  ends[1] = UniqueFd();
  const UnixSockets sockets = ListOwn();
  const UnixSocket& left = sockets.at(InodeOf(ends[0].get()));
  EXPECT_EQ(left.peer, 0U);
  EXPECT_EQ(left.state, TCP_ESTABLISHED);
  EXPECT_EQ(left.shutdown, 3);
}

TEST(UnixDiagTest, WhatASocketIsBoundToIsItsName) {
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = fmt::format("ckpt unix_diag_test {}", getpid());
  name.copy(address.sun_path + 1, name.size());
  const auto size_bytes = static_cast<socklen_t>(sizeof(sa_family_t) + 1 + name.size());
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size_bytes), 0);
  ASSERT_EQ(listen(fd.get(), 1), 0);
  const UnixSockets sockets = ListOwn();
  const UnixSocket& bound = sockets.at(InodeOf(fd.get()));
  EXPECT_EQ(bound.name, std::string(1, '\0') + name);
  EXPECT_EQ(bound.state, TCP_LISTEN);
}

TEST(UnixDiagTest, AnAnswerThatIsCutShortIsRefused) {
  UnixSockets sockets;
  const std::string head("\x20\0\0\0\x14\0\2\0\0\0\0\0\0\0\0\0", 16);
  const auto parsed = ParseUnixDiag(AsBytes(head), sockets);
  ASSERT_TRUE(parsed.has_error());
  EXPECT_EQ(parsed.error().message,
            "sock_diag: a message at byte 16 runs past the end, 0 are left");
}

TEST(UnixDiagTest, AnErrorOfTheKernelIsTold) {
  UnixSockets sockets;
  const std::string error("\x24\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\xfe\xff\xff\xff", 20);
  const auto parsed = ParseUnixDiag(AsBytes(error + std::string(16, '\0')), sockets);
  ASSERT_TRUE(parsed.has_error());
  EXPECT_EQ(parsed.error().message,
            "sock_diag of unix sockets: No such file or directory (ENOENT)");
}

}  // namespace
}  // namespace ckpt
