#include "restorer/unix_socket_maker.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <string>

namespace ckpt {
namespace {

class UnixSocketMakerTest : public testing::Test {
 protected:
  UnixSocketPlan& Add(uint32_t id, int type, uint32_t peer_id) {
    UnixSocketPlan& socket = sockets_[id];
    socket.file_id = id;
    socket.place = fmt::format("files.img entry id {}", id);
    socket.type = type;
    socket.is_connected = true;
    socket.peer_id = peer_id;
    socket.flags = O_RDWR | O_NONBLOCK;
    socket.options.set_so_sndbuf(212'992);
    socket.options.set_so_rcvbuf(212'992);
    return socket;
  }

  // The messages that can be read, in brackets, and "end" where nothing more will come.
  static std::string Read(const UniqueFd& fd) {
    std::string text;
    std::string bytes(1 << 20, '\0');
    ssize_t got = 0;
    while ((got = recv(fd.get(), bytes.data(), bytes.size(), 0)) > 0) {
      text += fmt::format("[{}]", bytes.substr(0, static_cast<size_t>(got)));
    }
    return text + (got == 0 ? "end" : "");
  }

  static int Option(const UniqueFd& fd, int option) {
    int value = 0;
    socklen_t size_bytes = sizeof(value);
    EXPECT_EQ(getsockopt(fd.get(), SOL_SOCKET, option, &value, &size_bytes), 0);
    return value;
  }

  std::map<uint32_t, UnixSocketPlan> sockets_;
};

TEST_F(UnixSocketMakerTest, BothEndsHaveTheirQueues) {
  Add(1, SOCK_SEQPACKET, 2).queue = {"one", "two"};
  Add(2, SOCK_SEQPACKET, 1).queue = {"back"};
  const auto made = MakeUnixSockets(sockets_).value();
  EXPECT_EQ(Read(made.at(1)), "[one][two]");
  EXPECT_EQ(Read(made.at(2)), "[back]");
  ASSERT_EQ(send(made.at(1).get(), "more", 4, 0), 4);
  EXPECT_EQ(Read(made.at(2)), "[more]");
}

TEST_F(UnixSocketMakerTest, AStreamOfSmallBuffersHoldsWhatItHeld) {
  UnixSocketPlan& reader = Add(1, SOCK_STREAM, 2);
  const std::string piece(100'000, 'x');
  reader.queue = {piece, piece, piece};
  UnixSocketPlan& writer = Add(2, SOCK_STREAM, 1);
  writer.options.set_so_sndbuf(10'000);
  writer.options.set_so_buf_lock(1);
  const auto made = MakeUnixSockets(sockets_).value();
  EXPECT_EQ(Option(made.at(2), SO_SNDBUF), 10'000);
  EXPECT_EQ(Option(made.at(1), SO_RCVBUF), 212'992);
  EXPECT_EQ(Read(made.at(1)).size(), 300'000 + 2U);
}

TEST_F(UnixSocketMakerTest, WhatWasShutDownIsAgain) {
  UnixSocketPlan& reader = Add(1, SOCK_STREAM, 2);
  reader.queue = {"last words"};
  reader.reads_nothing_more = true;
  Add(2, SOCK_STREAM, 1).writes_nothing_more = true;
  const auto made = MakeUnixSockets(sockets_).value();
  EXPECT_EQ(Read(made.at(1)), "[last words]end");
  EXPECT_EQ(send(made.at(2).get(), "x", 1, MSG_NOSIGNAL), -1);
  EXPECT_EQ(errno, EPIPE);
  EXPECT_EQ(send(made.at(1).get(), "x", 1, MSG_NOSIGNAL), 1);
}

TEST_F(UnixSocketMakerTest, APeerThatWasClosedIsClosed) {
  UnixSocketPlan& left = Add(1, SOCK_STREAM, 0);
  left.queue = {"bye"};
  left.reads_nothing_more = true;
  left.writes_nothing_more = true;
  const auto made = MakeUnixSockets(sockets_).value();
  EXPECT_EQ(Read(made.at(1)), "[bye]end");
  EXPECT_EQ(send(made.at(1).get(), "x", 1, MSG_NOSIGNAL), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST_F(UnixSocketMakerTest, OptionsAndFlagsAreSet) {
  UnixSocketPlan& socket = Add(1, SOCK_DGRAM, 2);
  socket.queue = {"", "without credentials"};
  socket.options.set_so_passcred(true);
  socket.options.set_so_rcv_tmo_sec(3);
  socket.options.set_so_rcv_tmo_usec(500'000);
  socket.options.set_so_priority(4);
  Add(2, SOCK_DGRAM, 1).flags = O_RDWR;
  const auto made = MakeUnixSockets(sockets_).value();
  EXPECT_EQ(Option(made.at(1), SO_PASSCRED), 1);
  EXPECT_EQ(Option(made.at(2), SO_PASSCRED), 0);
  EXPECT_EQ(Option(made.at(1), SO_PRIORITY), 4);
  timeval timeout{};
  socklen_t size_bytes = sizeof(timeout);
  ASSERT_EQ(getsockopt(made.at(1).get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, &size_bytes), 0);
  EXPECT_EQ(timeout.tv_sec, 3);
  EXPECT_NEAR(static_cast<double>(timeout.tv_usec), 500'000, 20'000);
  EXPECT_EQ(fcntl(made.at(1).get(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  EXPECT_EQ(fcntl(made.at(2).get(), F_GETFL) & O_NONBLOCK, 0);
  char byte = 0;
  EXPECT_EQ(recv(made.at(1).get(), &byte, 1, 0), 0);
  EXPECT_EQ(Read(made.at(1)), "[without credentials]");
}

TEST_F(UnixSocketMakerTest, ASocketThatIsNotConnectedIsMadeAlone) {
  Add(1, SOCK_DGRAM, 0).is_connected = false;
  const auto made = MakeUnixSockets(sockets_).value();
  EXPECT_EQ(send(made.at(1).get(), "x", 1, MSG_NOSIGNAL), -1);
  EXPECT_EQ(errno, ENOTCONN);
}

TEST_F(UnixSocketMakerTest, WhatCannotBeMadeIsNamed) {
  Add(7, SOCK_RDM, 0);
  const auto made = MakeUnixSockets(sockets_);
  ASSERT_TRUE(made.has_error());
  EXPECT_EQ(made.error().message,
            "files.img entry id 7: socketpair(AF_UNIX, 4): Socket type not supported "
            "(ESOCKTNOSUPPORT)");
}

}  // namespace
}  // namespace ckpt
