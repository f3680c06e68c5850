// Pipes between processes: each end with one of them only, and bytes on the way.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe Create() {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  return {ends[0], ends[1]};
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
  std::string bytes;
  while (bytes.size() < size) {
    std::string more(size - bytes.size(), '\0');
    const ssize_t got = read(fd, more.data(), more.size());
    if (got <= 0) break;
    bytes += more.substr(0, static_cast<size_t>(got));
  }
  return bytes;
}

void Run() {
  const Pipe down = Create();
  const Pipe up = Create();
  const Pipe across = Create();
  REQUIRE(mkfifo("fifo", 0600) == 0);
  const int fifo = open("fifo", O_RDWR);
  const pid_t first = StartChild([&] {
    close(down.write_end);
    close(up.read_end);
    close(across.read_end);
    Put(up.write_end, Bytes(3000, 1));
    Put(across.write_end, Bytes(60000, 2));
    ReadyAndAwaitGo();
    EXPECT(Take(down.read_end, 70) == Bytes(70, 3));
    Put(up.write_end, "done");
  });
  close(down.read_end);
  close(up.write_end);
  close(across.write_end);
  const pid_t second = StartChild([&] {
    close(down.write_end);
    close(up.read_end);
    const int own_end = open("fifo", O_WRONLY);
    close(fifo);
    Put(own_end, "by the fifo");
    ReadyAndAwaitGo();
    EXPECT(Take(across.read_end, 60000) == Bytes(60000, 2));
    EXPECT_SAME(Take(across.read_end, 1), "");  // the first has ended
  });
  close(across.read_end);
  Put(down.write_end, Bytes(50, 3));

  ReadyAndAwaitGo();

  Put(down.write_end, Bytes(70, 3).substr(50));
  EXPECT(Take(up.read_end, 3000) == Bytes(3000, 1));
  EndChild(first);
  EXPECT_SAME(Take(up.read_end, 4), "done");
  EXPECT_SAME(Take(up.read_end, 1), "");
  EndChild(second);
  EXPECT_SAME(Take(fifo, 11), "by the fifo");
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
