// Pairs of unix sockets of each type, with what is queued in them: both directions, shut down,
// their peer closed, with options, shared by two descriptors, and one that is not connected.
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

struct Pair {
  int first = -1;
  int second = -1;
};

Pair MakePair(int type) {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, type, 0, ends) == 0);
  return {ends[0], ends[1]};
}

void Send(int fd, const std::string& text) {
  EXPECT_EQUAL(send(fd, text.data(), text.size(), MSG_NOSIGNAL), text.size());
}

// The messages that can be read, in brackets, and "end" where nothing more will come.
std::string Receive(int fd) {
  static std::string bytes(size_t{1} << 20, '\0');
  std::string text;
  ssize_t got = 0;
  while ((got = recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT)) > 0) {
    text += "[" + bytes.substr(0, static_cast<size_t>(got)) + "]";
  }
  return text + (got == 0 ? "end" : "");
}

void Set(int fd, int option, int value) {
  REQUIRE(setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)) == 0);
}

int Get(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT(getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0);
  return value;
}

std::string Long(size_t size, size_t seed) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + (i * 31 + seed) % 26);
  return bytes;
}

struct Sockets {
  Pair stream, packets, datagrams, half, options;
  int orphan, alone, duplicate;
};

Sockets SetUp() {
  Sockets sockets{};
  sockets.stream = MakePair(SOCK_STREAM);
  Send(sockets.stream.first, Long(100'000, 1));
  Send(sockets.stream.second, "back");
  sockets.duplicate = dup(sockets.stream.second);
  sockets.packets = MakePair(SOCK_SEQPACKET | SOCK_NONBLOCK);
  for (const char* text : {"one", "two", "three"}) Send(sockets.packets.first, text);
  sockets.datagrams = MakePair(SOCK_DGRAM | SOCK_CLOEXEC);
  Send(sockets.datagrams.first, Long(50'000, 2));
  Send(sockets.datagrams.first, "short");
  sockets.half = MakePair(SOCK_STREAM);
  Send(sockets.half.first, "last words");
  REQUIRE(shutdown(sockets.half.first, SHUT_WR) == 0);
  const Pair closed = MakePair(SOCK_STREAM);
  Send(closed.first, "left behind");
  REQUIRE(close(closed.first) == 0);
  sockets.orphan = closed.second;
  sockets.options = MakePair(SOCK_STREAM);
  Set(sockets.options.first, SO_SNDBUF, 20'000);
  Set(sockets.options.first, SO_PASSCRED, 1);
  Set(sockets.options.second, SO_RCVLOWAT, 3);
  const timeval timeout{5, 0};
  REQUIRE(setsockopt(sockets.options.second, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) ==
          0);
  sockets.alone = socket(AF_UNIX, SOCK_DGRAM, 0);
  REQUIRE(sockets.alone >= 0);
  return sockets;
}

void CheckQueues(const Sockets& sockets) {
  EXPECT_SAME(Receive(sockets.stream.first), "[back]");
  EXPECT_SAME(Receive(sockets.duplicate), "[" + Long(100'000, 1) + "]");
  EXPECT_SAME(Receive(sockets.packets.second), "[one][two][three]");
  EXPECT_SAME(Receive(sockets.packets.first), "");
  EXPECT_SAME(Receive(sockets.datagrams.second), "[" + Long(50'000, 2) + "][short]");
  EXPECT_SAME(Receive(sockets.half.second), "[last words]end");
  EXPECT_SAME(Receive(sockets.orphan), "[left behind]end");
}

void CheckStates(const Sockets& sockets) {
  EXPECT_EQUAL(send(sockets.half.first, "x", 1, MSG_NOSIGNAL), -1);
  EXPECT_EQUAL(errno, EPIPE);
  Send(sockets.half.second, "still open");
  EXPECT_SAME(Receive(sockets.half.first), "[still open]");
  EXPECT_EQUAL(send(sockets.orphan, "x", 1, MSG_NOSIGNAL), -1);
  EXPECT_EQUAL(errno, EPIPE);
  for (const Pair& pair : {sockets.stream, sockets.packets, sockets.datagrams}) {
    Send(pair.second, "more");
    EXPECT_SAME(Receive(pair.first), "[more]");
  }
  EXPECT_EQUAL(send(sockets.alone, "x", 1, MSG_NOSIGNAL), -1);
  EXPECT_EQUAL(errno, ENOTCONN);
  EXPECT_EQUAL(fcntl(sockets.packets.first, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  EXPECT_EQUAL(fcntl(sockets.stream.first, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQUAL(fcntl(sockets.datagrams.first, F_GETFD), FD_CLOEXEC);
}

void CheckOptions(const Sockets& sockets) {
  EXPECT_EQUAL(Get(sockets.options.first, SO_SNDBUF), 40'000);
  EXPECT_EQUAL(Get(sockets.options.first, SO_PASSCRED), 1);
  EXPECT_EQUAL(Get(sockets.options.second, SO_PASSCRED), 0);
  EXPECT_EQUAL(Get(sockets.options.second, SO_RCVLOWAT), 3);
  timeval timeout{};
  socklen_t size = sizeof(timeout);
  EXPECT(getsockopt(sockets.options.second, SOL_SOCKET, SO_RCVTIMEO, &timeout, &size) == 0);
  EXPECT_EQUAL(timeout.tv_sec, 5);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  using namespace ckpt;
  Begin(argc, argv);
  const Sockets sockets = SetUp();
  ReadyAndAwaitGo();
  CheckQueues(sockets);
  CheckStates(sockets);
  CheckOptions(sockets);
  Finish();
}
