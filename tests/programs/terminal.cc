// A terminal as standard input, output and errors, controlling the session of the program, with
// settings of its own.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

termios Settings() {
  termios settings{};
  REQUIRE(tcgetattr(STDIN_FILENO, &settings) == 0);
  return settings;
}

void SetUp() {
  termios settings = Settings();
  settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  settings.c_cc[VINTR] = 7;
  settings.c_cc[VMIN] = 3;
  REQUIRE(tcsetattr(STDIN_FILENO, TCSANOW, &settings) == 0);
  REQUIRE(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK) == 0);
}

void Check() {
  const termios settings = Settings();
  EXPECT_EQUAL(settings.c_lflag & (ICANON | ECHO), 0);
  EXPECT_EQUAL(settings.c_cc[VINTR], 7);
  EXPECT_EQUAL(settings.c_cc[VMIN], 3);
  struct stat own {};
  EXPECT(fstat(STDIN_FILENO, &own) == 0);
  const int terminal = open("/dev/tty", O_RDWR);
  EXPECT(terminal >= 0);
  unsigned device = 0;
  EXPECT(ioctl(terminal, TIOCGDEV, &device) == 0);
  EXPECT_EQUAL(device, own.st_rdev);
  EXPECT_EQUAL(tcgetsid(STDIN_FILENO), getsid(0));
  EXPECT_EQUAL(tcgetpgrp(STDIN_FILENO), getpgrp());
  EXPECT_EQUAL(write(STDOUT_FILENO, "hello\n", 6), 6);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  using namespace ckpt;
  BeginOnTerminal(argc, argv);
  SetUp();
  EXPECT_EQUAL(write(STDOUT_FILENO, "ready\n", 6), 6);
  ReadyAndAwaitGo();
  Check();
  Finish();
}
