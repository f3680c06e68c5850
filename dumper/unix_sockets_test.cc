#include "dumper/unix_sockets.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "base/file.h"

namespace ckpt {
namespace {

using Ends = std::array<UniqueFd, 2>;

Ends MakePair(int type) {
  std::array<int, 2> ends{};
  EXPECT_EQ(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void Send(const UniqueFd& fd, const std::string& text) {
  EXPECT_EQ(send(fd.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
}

// The test itself is the process whose sockets are looked at.
class UnixSocketsTest : public testing::Test {
 protected:
  OpenDescription Open(const UniqueFd& fd) {
    return DescriptorTable::Open(getpid()).value().Read(fd.get()).value();
  }

  pb::unix_sk_entry& Add(const UniqueFd& fd) {
    const OpenDescription& opened = opened_.emplace_back(Open(fd));
    EXPECT_EQ(ReasonToRefuseSocket(opened), std::nullopt);
    const uint32_t id = AddUnixSocket(opened, files_).value();
    return *files_.mutable_entries()[id - 1].mutable_usk();
  }

  std::vector<SocketPacket> Complete() {
    std::vector<const OpenDescription*> sockets;
    for (const OpenDescription& opened : opened_) sockets.push_back(&opened);
    return CompleteUnixSockets(sockets, files_, refusals_).value();
  }

  const pb::unix_sk_entry& Entry(size_t index) { return files_.entries()[index].usk(); }

  // What is queued in socket `id`, in brackets.
  static std::string QueueOf(const std::vector<SocketPacket>& packets, uint32_t id) {
    std::string text;
    for (const SocketPacket& packet : packets) {
      EXPECT_EQ(packet.entry.length(), packet.bytes.size());
      if (packet.entry.id_for() == id) text += fmt::format("[{}]", packet.bytes);
    }
    return text;
  }

  std::deque<OpenDescription> opened_;
  FileTable files_;
  Refusals refusals_;
};

TEST_F(UnixSocketsTest, APairIsTwoSocketsThatNameEachOther) {
  const Ends ends = MakePair(SOCK_STREAM);
  const int on = 1;
  ASSERT_EQ(setsockopt(ends[1].get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
  const int buffer_bytes = 30'000;
  setsockopt(ends[0].get(), SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof(buffer_bytes));
  ASSERT_EQ(shutdown(ends[0].get(), SHUT_WR), 0);
  fcntl(ends[0].get(), F_SETFL, O_NONBLOCK);
  Add(ends[0]);
  Add(ends[1]);
  EXPECT_TRUE(Complete().empty());
  EXPECT_TRUE(refusals_.findings().empty());
  EXPECT_EQ(Entry(0).peer(), Entry(1).ino());
  EXPECT_EQ(Entry(1).peer(), Entry(0).ino());
  EXPECT_EQ(Entry(0).type(), uint32_t{SOCK_STREAM});
  EXPECT_EQ(Entry(0).state(), uint32_t{TCP_ESTABLISHED});
  EXPECT_EQ(Entry(0).flags(), uint32_t{O_RDWR | O_NONBLOCK});
  EXPECT_EQ(Entry(0).shutdown(), pb::WRITE);
  EXPECT_EQ(Entry(1).shutdown(), pb::READ);
  EXPECT_EQ(Entry(0).opts().so_sndbuf(), 60'000U);
  EXPECT_EQ(Entry(0).opts().so_buf_lock(), 1U);
  EXPECT_FALSE(Entry(0).opts().so_passcred());
  EXPECT_TRUE(Entry(1).opts().so_passcred());
}

TEST_F(UnixSocketsTest, WhatIsQueuedIsCopiedAndLeftThere) {
  const Ends stream = MakePair(SOCK_STREAM);
  Send(stream[0], "first ");
  Send(stream[0], "second");
  const Ends packets = MakePair(SOCK_SEQPACKET);
  Send(packets[0], "one");
  Send(packets[0], "two");
  Add(stream[1]);
  Add(stream[0]);
  Add(packets[1]);
  Add(packets[0]);
  for (int round = 0; round < 2; ++round) {
    const std::vector<SocketPacket> queued = Complete();
    EXPECT_TRUE(refusals_.findings().empty());
    EXPECT_EQ(QueueOf(queued, 1), "[first second]");
    EXPECT_EQ(QueueOf(queued, 2), "");
    EXPECT_EQ(QueueOf(queued, 3), "[one][two]");
  }
  std::array<char, 100> bytes{};
  EXPECT_EQ(recv(stream[1].get(), bytes.data(), bytes.size(), MSG_PEEK), 12);
  EXPECT_EQ(recv(stream[1].get(), bytes.data(), bytes.size(), MSG_PEEK), 12);
}

TEST_F(UnixSocketsTest, MessagesWithoutBytesAreMessages) {
  const Ends ends = MakePair(SOCK_DGRAM);
  for (const char* text : {"", "a", "", "", "bc", ""}) Send(ends[0], text);
  Add(ends[1]);
  Add(ends[0]);
  EXPECT_EQ(QueueOf(Complete(), 1), "[][a][][][bc][]");
}

TEST_F(UnixSocketsTest, TheEndOfAConnectionIsNoMessage) {
  const Ends ends = MakePair(SOCK_SEQPACKET);
  for (const char* text : {"", "a"}) Send(ends[0], text);
  ASSERT_EQ(shutdown(ends[0].get(), SHUT_WR), 0);
  Add(ends[1]);
  Add(ends[0]);
  EXPECT_EQ(QueueOf(Complete(), 1), "[][a]");
}

TEST_F(UnixSocketsTest, ASocketWhosePeerIsClosedKeepsItsQueue) {
  Ends ends = MakePair(SOCK_STREAM);
  const std::string text(100'000, 'x');
  Send(ends[0], text);
  ends[0] = UniqueFd();
  Add(ends[1]);
  size_t size_bytes = 0;
  for (const SocketPacket& packet : Complete()) size_bytes += packet.bytes.size();
  EXPECT_EQ(size_bytes, text.size());
  EXPECT_TRUE(refusals_.findings().empty());
  EXPECT_EQ(Entry(0).peer(), 0U);
  EXPECT_EQ(Entry(0).state(), uint32_t{TCP_ESTABLISHED});
  EXPECT_EQ(Entry(0).shutdown(), pb::BOTH);
}

TEST_F(UnixSocketsTest, APeerOutsideOfTheTreeIsRefused) {
  const Ends ends = MakePair(SOCK_STREAM);
  Add(ends[0]);
  Complete();
  const OpenDescription other = Open(ends[1]);
  ASSERT_EQ(refusals_.findings().size(), 1U);
  EXPECT_EQ(refusals_.findings()[0],
            fmt::format("fd {} is {}: its peer, {}, is not in the tree", ends[0].get(),
                        opened_[0].file.path, other.file.path));
}

TEST_F(UnixSocketsTest, CredentialsInTheQueueAreRefused) {
  const Ends ends = MakePair(SOCK_DGRAM);
  const int on = 1;
  setsockopt(ends[1].get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
  Send(ends[0], "from whom");
  Add(ends[1]);
  Add(ends[0]);
  Complete();
  ASSERT_EQ(refusals_.findings().size(), 1U);
  EXPECT_NE(refusals_.findings()[0].find("credentials or descriptors are queued in it"),
            std::string::npos);
}

TEST_F(UnixSocketsTest, AnErrorThatWaitsIsRefused) {
  Ends ends = MakePair(SOCK_STREAM);
  Send(ends[1], "never read");
  ends[0] = UniqueFd();
  Add(ends[1]);
  Complete();
  ASSERT_EQ(refusals_.findings().size(), 1U);
  EXPECT_NE(refusals_.findings()[0].find("an error waits in it (SO_ERROR)"), std::string::npos);
}

TEST_F(UnixSocketsTest, DescriptorsOnTheirWayAreRefused) {
  const Ends ends = MakePair(SOCK_STREAM);
  std::string byte = "x";
  iovec part{byte.data(), 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  *reinterpret_cast<int*>(CMSG_DATA(head)) = STDERR_FILENO;
  ASSERT_EQ(sendmsg(ends[0].get(), &message, 0), 1);
  EXPECT_EQ(ReasonToRefuseSocket(Open(ends[1])),
            "descriptors are on their way in it (SCM_RIGHTS), not supported yet");
  EXPECT_EQ(ReasonToRefuseSocket(Open(ends[0])), std::nullopt);
}

TEST_F(UnixSocketsTest, WhatIsNoPairIsRefusedByItsKind) {
  const UniqueFd internet(socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(ReasonToRefuseSocket(Open(internet)),
            "sockets of family 2 are not supported yet, only those of AF_UNIX");
  const UniqueFd bound(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // Has the kernel choose an abstract name.
  ASSERT_EQ(bind(bound.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(sa_family_t)), 0);
  EXPECT_EQ(ReasonToRefuseSocket(Open(bound)),
            "sockets that are bound to a name are not supported yet");
  ASSERT_EQ(listen(bound.get(), 1), 0);
  EXPECT_EQ(ReasonToRefuseSocket(Open(bound)), "sockets that listen are not supported yet");
  const Ends ends = MakePair(SOCK_STREAM);
  const int offset = 0;
  setsockopt(ends[0].get(), SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(offset));
  EXPECT_EQ(ReasonToRefuseSocket(Open(ends[0])),
            "SO_PEEK_OFF is set, for which the format has no place");
}

}  // namespace
}  // namespace ckpt
