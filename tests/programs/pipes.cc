// Pipes: holding bytes, empty, resized, non-blocking, with one end closed, with an end twice.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

struct Pipe {
  int read_end;
  int write_end;
};

Pipe Create(int flags) {
  int ends[2];
  REQUIRE(pipe2(ends, flags) == 0);
  return {ends[0], ends[1]};
}

std::string Bytes(size_t size, size_t seed) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 31 + seed) % 251);
  return bytes;
}

void Put(const Pipe& pipe, const std::string& bytes) {
  EXPECT_EQUAL(write(pipe.write_end, bytes.data(), bytes.size()), bytes.size());
}

std::string Take(const Pipe& pipe, size_t size) {
  std::string bytes(size, '\0');
  size_t taken = 0;
  while (taken < size) {
    const ssize_t got = read(pipe.read_end, bytes.data() + taken, size - taken);
    if (got <= 0) break;
    taken += static_cast<size_t>(got);
  }
  return bytes.substr(0, taken);
}

void ExpectWorks(const Pipe& pipe) {
  Put(pipe, "still a pipe");
  EXPECT_SAME(Take(pipe, 12), "still a pipe");
}

void ExpectFlags(const Pipe& pipe, int status_flags, int descriptor_flags) {
  EXPECT_EQUAL(fcntl(pipe.read_end, F_GETFL), O_RDONLY | status_flags);
  EXPECT_EQUAL(fcntl(pipe.write_end, F_GETFL), O_WRONLY | status_flags);
  EXPECT_EQUAL(fcntl(pipe.read_end, F_GETFD), descriptor_flags);
  EXPECT_EQUAL(fcntl(pipe.write_end, F_GETFD), descriptor_flags);
}

void Run() {
  REQUIRE(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  const Pipe holding = Create(0);
  Put(holding, Bytes(5000, 1));
  const Pipe empty = Create(O_CLOEXEC);
  const Pipe resized = Create(0);
  REQUIRE(fcntl(resized.write_end, F_SETPIPE_SZ, 1 << 20) == 1 << 20);
  Put(resized, Bytes(300000, 2));
  const Pipe nonblocking = Create(O_NONBLOCK);
  Put(nonblocking, "some");
  const Pipe no_writer = Create(0);
  Put(no_writer, Bytes(100, 3));
  REQUIRE(close(no_writer.write_end) == 0);
  const Pipe no_reader = Create(0);
  REQUIRE(close(no_reader.read_end) == 0);
  const Pipe twice = {holding.read_end, dup(holding.write_end)};

  ReadyAndAwaitGo();

  EXPECT(Take(holding, 5000) == Bytes(5000, 1));
  ExpectWorks(holding);
  ExpectWorks(twice);
  ExpectWorks(empty);
  ExpectFlags(empty, 0, FD_CLOEXEC);
  EXPECT_EQUAL(fcntl(resized.read_end, F_GETPIPE_SZ), 1 << 20);
  EXPECT(Take(resized, 300000) == Bytes(300000, 2));
  ExpectFlags(nonblocking, O_NONBLOCK, 0);
  EXPECT_SAME(Take(nonblocking, 100), "some");
  EXPECT(Take(no_writer, 200) == Bytes(100, 3));
  EXPECT_SAME(Take(no_writer, 1), "");  // the end, not a wait
  EXPECT(write(no_reader.write_end, "x", 1) == -1 && errno == EPIPE);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
