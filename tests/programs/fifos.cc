// Named pipes: open at one end and at both, holding bytes, empty, resized, opened twice.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

int Open(const char* path, int flags) {
  const int fd = open(path, flags);
  REQUIRE(fd >= 0);
  return fd;
}

std::string Bytes(size_t size, size_t seed) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 31 + seed) % 251);
  return bytes;
}

void Put(int fd, const std::string& bytes) {
  EXPECT_EQUAL(write(fd, bytes.data(), bytes.size()), bytes.size());
}

std::string Take(int fd, size_t size) {
  std::string bytes(size, '\0');
  size_t taken = 0;
  while (taken < size) {
    const ssize_t got = read(fd, bytes.data() + taken, size - taken);
    if (got <= 0) break;
    taken += static_cast<size_t>(got);
  }
  return bytes.substr(0, taken);
}

void Run() {
  REQUIRE(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  for (const char* path : {"both", "ends", "resized", "reader", "writer"}) {
    REQUIRE(mkfifo(path, 0640) == 0);
  }
  const int both = Open("both", O_RDWR | O_CLOEXEC);
  Put(both, Bytes(5000, 1));
  const int reader = Open("ends", O_RDONLY | O_NONBLOCK);
  const int writer = Open("ends", O_WRONLY);
  const int shared = dup(writer);
  const int second_reader = Open("ends", O_RDONLY);
  Put(writer, "three words here");
  const int resized = Open("resized", O_RDWR | O_NONBLOCK);
  REQUIRE(fcntl(resized, F_SETPIPE_SZ, 1 << 20) == 1 << 20);
  Put(resized, Bytes(300000, 2));
  const int no_writer = Open("reader", O_RDONLY | O_NONBLOCK);
  const int other_end = Open("writer", O_RDONLY | O_NONBLOCK);
  const int no_reader = Open("writer", O_WRONLY);
  REQUIRE(close(other_end) == 0);

  ReadyAndAwaitGo();

  EXPECT_EQUAL(fcntl(both, F_GETFD), FD_CLOEXEC);
  EXPECT(Take(both, 5000) == Bytes(5000, 1));
  Put(both, "still a pipe");
  EXPECT_SAME(Take(both, 12), "still a pipe");
  EXPECT_EQUAL(fcntl(reader, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  EXPECT_EQUAL(fcntl(second_reader, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_SAME(Take(reader, 5), "three");
  EXPECT_SAME(Take(second_reader, 6), " words");
  Put(shared, ", more");
  EXPECT_SAME(Take(reader, 100), " here, more");
  EXPECT_EQUAL(fcntl(resized, F_GETPIPE_SZ), 1 << 20);
  EXPECT(Take(resized, 300000) == Bytes(300000, 2));
  EXPECT_SAME(Take(no_writer, 1), "");  // the end, not a wait
  const int late_writer = Open("reader", O_WRONLY | O_NONBLOCK);
  Put(late_writer, "late");
  EXPECT_SAME(Take(no_writer, 4), "late");
  EXPECT(write(no_reader, "x", 1) == -1 && errno == EPIPE);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
