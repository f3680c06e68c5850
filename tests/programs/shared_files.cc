// Open file descriptions that parent and children share, and some that they do not.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

std::string Read(int fd, size_t size) {
  std::string bytes(size, '\0');
  const ssize_t got = read(fd, bytes.data(), size);
  bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return bytes;
}

off_t Position(int fd) { return lseek(fd, 0, SEEK_CUR); }

void Run() {
  const int shared = open("shared", O_RDWR | O_CREAT, 0600);
  REQUIRE(write(shared, "0123456789abcdefghij", 20) == 20);
  REQUIRE(lseek(shared, 2, SEEK_SET) == 2);
  const int event = eventfd(3, EFD_NONBLOCK);
  const int epoll = epoll_create1(0);
  epoll_event watch = {.events = EPOLLIN, .data = {.u64 = 77}};
  REQUIRE(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &watch) == 0);

  const pid_t child = StartChild([&] {
    const int own = open("shared", O_RDONLY);
    const int twice = dup2(shared, 100);
    fcntl(twice, F_SETFD, FD_CLOEXEC);
    lseek(own, 15, SEEK_SET);
    close(event);
    ReadyAndAwaitGo();
    EXPECT_EQUAL(fcntl(twice, F_GETFD), FD_CLOEXEC);
    EXPECT_EQUAL(fcntl(shared, F_GETFD), 0);
    EXPECT_EQUAL(Position(shared), 5);  // the parent has read three bytes
    EXPECT_SAME(Read(twice, 2), "56");
    EXPECT_EQUAL(Position(own), 15);
    epoll_event got = {};
    EXPECT_EQUAL(epoll_wait(epoll, &got, 1, 0), 1);
    EXPECT_EQUAL(got.data.u64, 77);
  });
  const int after_fork = open("shared", O_RDONLY);

  ReadyAndAwaitGo();

  EXPECT_SAME(Read(shared, 3), "234");
  EndChild(child);
  EXPECT_EQUAL(Position(shared), 7);
  EXPECT_EQUAL(Position(after_fork), 0);
  uint64_t count = 0;
  EXPECT_EQUAL(read(event, &count, sizeof(count)), sizeof(count));
  EXPECT_EQUAL(count, 3);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
