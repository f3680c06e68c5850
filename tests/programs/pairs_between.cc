// Pairs of unix sockets between processes: each end with one of them only, bytes and messages on
// the way in both directions, one end shut down by the process that has it, and one process ended.
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

struct Pair {
  int parents = -1;
  int childs = -1;
};

Pair Create(int type) {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, type, 0, ends) == 0);
  return {ends[0], ends[1]};
}

std::string Bytes(size_t size, size_t seed) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 31 + seed) % 251);
  return bytes;
}

void Send(int fd, const std::string& text) {
  EXPECT_EQUAL(send(fd, text.data(), text.size(), MSG_NOSIGNAL), text.size());
}

// Waits until so many bytes of a stream have come, or its end.
std::string Take(int fd, size_t size) {
  std::string bytes(size, '\0');
  const ssize_t got = recv(fd, bytes.data(), size, MSG_WAITALL);
  bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return bytes;
}

// Waits for a message.
std::string TakeMessage(int fd) {
  std::string bytes(size_t{1} << 16, '\0');
  const ssize_t got = recv(fd, bytes.data(), bytes.size(), 0);
  bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return bytes;
}

struct Pairs {
  Pair stream = Create(SOCK_STREAM);
  Pair packets = Create(SOCK_SEQPACKET);
  Pair datagrams = Create(SOCK_DGRAM);
  Pair half = Create(SOCK_STREAM);
  Pair left = Create(SOCK_STREAM);

  void CloseAll(int Pair::*end) const {
    for (const Pair& pair : {stream, packets, datagrams, half, left}) close(pair.*end);
  }
};

// Has the ends of the child.
void RunChild(const Pairs& pairs) {
  Send(pairs.stream.childs, Bytes(3000, 1));
  for (const char* text : {"one", "two", "three"}) Send(pairs.packets.childs, text);
  Send(pairs.half.childs, "last words");
  REQUIRE(shutdown(pairs.half.childs, SHUT_WR) == 0);

  ReadyAndAwaitGo();

  EXPECT(Take(pairs.stream.childs, 70'050) == Bytes(70'050, 2));
  EXPECT_SAME(TakeMessage(pairs.packets.childs), "four");
  EXPECT(TakeMessage(pairs.datagrams.childs) == Bytes(20'000, 3));
  EXPECT_SAME(TakeMessage(pairs.datagrams.childs), "short");
  EXPECT_SAME(Take(pairs.half.childs, 10), "still open");
  Send(pairs.stream.childs, "done");
}

// Of a process that is waited for, and of which only what it sent is left.
void LeaveBehind(const Pairs& pairs) {
  const pid_t pid = StartChild([&] {
    pairs.CloseAll(&Pair::parents);
    Send(pairs.left.childs, "left behind");
    ReadyAndAwaitGo();
  });
  EndChild(pid);
}

void CheckParent(const Pairs& pairs) {
  EXPECT(Take(pairs.stream.parents, 3000) == Bytes(3000, 1));
  for (const char* text : {"one", "two", "three"}) {
    EXPECT_SAME(TakeMessage(pairs.packets.parents), text);
  }
  EXPECT_SAME(Take(pairs.half.parents, 20), "last words");
  EXPECT_SAME(Take(pairs.left.parents, 20), "left behind");
  EXPECT_EQUAL(send(pairs.left.parents, "x", 1, MSG_NOSIGNAL), -1);
}

void Run() {
  const Pairs pairs;
  LeaveBehind(pairs);
  close(pairs.left.childs);
  const pid_t child = StartChild([&] {
    pairs.CloseAll(&Pair::parents);
    RunChild(pairs);
  });
  for (const Pair& pair : {pairs.stream, pairs.packets, pairs.datagrams, pairs.half}) {
    close(pair.childs);
  }
  Send(pairs.stream.parents, Bytes(70'000, 2));
  Send(pairs.packets.parents, "four");
  Send(pairs.datagrams.parents, Bytes(20'000, 3));
  Send(pairs.datagrams.parents, "short");

  ReadyAndAwaitGo();

  CheckParent(pairs);
  Send(pairs.stream.parents, Bytes(70'050, 2).substr(70'000));
  Send(pairs.half.parents, "still open");
  EndChild(child);
  EXPECT_SAME(Take(pairs.stream.parents, 20), "done");
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
