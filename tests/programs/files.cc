// Regular files with positions and flags, descriptors that share a description, directories,
// devices, the working directory and the umask.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

int Open(const char* path, int flags) {
  const int fd = open(path, flags, 0640);
  REQUIRE(fd >= 0);
  return fd;
}

int Move(int fd, int number) {
  REQUIRE(dup2(fd, number) == number);
  REQUIRE(close(fd) == 0);
  return number;
}

void Write(int fd, const std::string& text) {
  EXPECT_EQUAL(write(fd, text.data(), text.size()), text.size());
}

std::string Read(int fd, size_t size) {
  std::string text(size, '\0');
  const ssize_t got = read(fd, text.data(), size);
  return got < 0 ? "(error)" : text.substr(0, static_cast<size_t>(got));
}

off_t Position(int fd) { return lseek(fd, 0, SEEK_CUR); }

// What fcntl(2) and readlink(2) tell of the descriptors that are open, but O_DIRECTORY: CRIU does
// not bring that back.
std::string Descriptors() {
  std::string text;
  for (int fd = 0; fd < 256; ++fd) {
    const int descriptor_flags = fcntl(fd, F_GETFD);
    if (descriptor_flags < 0) continue;
    char target[4096] = {};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    REQUIRE(readlink(link.c_str(), target, sizeof(target) - 1) > 0);
    text += std::to_string(fd) + " " + target + " at " + std::to_string(Position(fd)) + " flags " +
            std::to_string(fcntl(fd, F_GETFL) & ~O_DIRECTORY) + "/" +
            std::to_string(descriptor_flags) + " owner " + std::to_string(fcntl(fd, F_GETOWN)) +
            "/" + std::to_string(fcntl(fd, F_GETSIG)) + "\n";
  }
  return text;
}

void Run() {
  REQUIRE(mkdir("folder", 0755) == 0 && chdir("folder") == 0);
  umask(027);
  const int plain = Open("plain", O_RDWR | O_CREAT | O_TRUNC);
  Write(plain, "0123456789abcdef");
  REQUIRE(lseek(plain, 4, SEEK_SET) == 4);
  const int shared = dup(plain);
  const int far_shared = fcntl(plain, F_DUPFD_CLOEXEC, 200);
  const int second = Open("plain", O_RDONLY | O_CLOEXEC);
  const int appending = Open("log", O_WRONLY | O_CREAT | O_APPEND);
  Write(appending, "one ");
  const int odd_flags = Open("synced", O_WRONLY | O_CREAT | O_NONBLOCK | O_SYNC | O_NOATIME);
  const int high = Move(Open("high", O_RDWR | O_CREAT), 150);
  REQUIRE(lseek(high, 1 << 20, SEEK_SET) == 1 << 20);  // past its end
  const int directory = Open(".", O_RDONLY | O_DIRECTORY);
  const int null = Open("/dev/null", O_RDWR);
  const int zero = Open("/dev/zero", O_RDONLY);
  const int random = Open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  REQUIRE(fcntl(plain, F_SETSIG, SIGRTMIN) == 0 && fcntl(plain, F_SETOWN, getpid()) == 0);
  const std::string descriptors = Descriptors();

  ReadyAndAwaitGo();

  EXPECT_SAME(Descriptors(), descriptors);
  EXPECT_SAME(Read(shared, 2), "45");
  EXPECT_SAME(Read(far_shared, 2), "67");  // one position for the three of them
  EXPECT_EQUAL(Position(plain), 8);
  EXPECT_SAME(Read(second, 3), "012");
  EXPECT_EQUAL(Position(plain), 8);
  REQUIRE(lseek(appending, 0, SEEK_SET) == 0);
  Write(appending, "two");
  EXPECT_SAME(FileText("log"), "one two");
  Write(odd_flags, "x");
  Write(high, "end");
  struct stat status = {};
  REQUIRE(fstat(high, &status) == 0);
  EXPECT_EQUAL(status.st_size, (1 << 20) + 3);
  REQUIRE(fstatat(directory, "plain", &status, 0) == 0);
  EXPECT_EQUAL(status.st_size, 16);
  Write(null, "gone");
  EXPECT_SAME(Read(zero, 2), std::string(2, '\0'));
  EXPECT_EQUAL(Read(random, 8).size(), 8);
  close(Open("new", O_WRONLY | O_CREAT));
  REQUIRE(stat("new", &status) == 0);
  EXPECT_EQUAL(status.st_mode & 0777, 0640);
  EXPECT_EQUAL(umask(0), 027);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
