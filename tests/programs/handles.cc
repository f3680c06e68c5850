// Descriptors of the kernel's own objects: terminals of a devpts instance with what they hold,
// a memfd, a pidfd of a process that runs, a namespace, a FIFO with data; files that were deleted
// or have another name than they were opened by; a seccomp filter, limits and timers.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/memfd.h>
#include <linux/seccomp.h>
#include <pty.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr long kLongSeconds = 100000;  // nothing that is armed so may expire during the test

struct Terminal {
  int master = -1;
  int slave = -1;
};

Terminal MakeTerminal() {
  Terminal made;
  REQUIRE(openpty(&made.master, &made.slave, nullptr, nullptr, nullptr) == 0);
  termios settings = {};
  REQUIRE(tcgetattr(made.slave, &settings) == 0);
  cfmakeraw(&settings);
  REQUIRE(tcsetattr(made.slave, TCSANOW, &settings) == 0);
  REQUIRE(write(made.slave, "printed", 7) == 7);
  return made;
}

int MakeMemfd() {
  const int fd = memfd_create("sealed", MFD_ALLOW_SEALING | MFD_CLOEXEC);
  REQUIRE(fd >= 0);
  REQUIRE(write(fd, "contents", 8) == 8);
  REQUIRE(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
  REQUIRE(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
  return fd;
}

int MakeFifo() {
  REQUIRE(mkfifo("fifo", 0600) == 0);
  const int fd = open("fifo", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(fd >= 0 && write(fd, "in the fifo", 11) == 11);
  return fd;
}

int Create(const char* path) {
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  REQUIRE(fd >= 0 && write(fd, path, strlen(path)) == static_cast<ssize_t>(strlen(path)));
  return fd;
}

// One without any name, and one that has another name than it was opened by.
void MakeNamelessFiles() {
  Create("ghost");
  REQUIRE(unlink("ghost") == 0);
  Create("linked");
  REQUIRE(link("linked", "other name") == 0 && unlink("linked") == 0);
}

void Filter() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_swapon, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
  REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

void ArmTimers() {
  const itimerval interval = {{5, 0}, {kLongSeconds, 0}};
  REQUIRE(setitimer(ITIMER_REAL, &interval, nullptr) == 0);
  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGRTMIN + 2;
  timer_t timer = nullptr;
  REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  const itimerspec spec = {{0, 0}, {kLongSeconds, 0}};
  REQUIRE(timer_settime(timer, 0, &spec, nullptr) == 0);
  rlimit limit = {};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = 300;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

void Run() {
  const Terminal terminal = MakeTerminal();
  const int memfd = MakeMemfd();
  const int fifo = MakeFifo();
  const pid_t child = StartChild([] { ReadyAndAwaitGo(); });
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  REQUIRE(pidfd >= 0);
  MakeNamelessFiles();
  REQUIRE(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC) >= 0);
  ArmTimers();
  Filter();

  ReadyAndAwaitGo();

  char text[64] = {};
  EXPECT_EQUAL(read(terminal.master, text, sizeof(text)), 7);
  EXPECT_SAME(text, "printed");
  EXPECT_EQUAL(read(fifo, text, sizeof(text)), 11);
  EXPECT_EQUAL(fcntl(memfd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW);
  EXPECT_EQUAL(StatusField("Seccomp") == "2", true);
  EXPECT_EQUAL(syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0), 0);
  EndChild(child);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
