// A session leader in the background of its terminal: the group of a child is in the foreground,
// that of another is not.
#include <sys/types.h>
#include <termios.h>
#include <unistd.h>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

pid_t StartGroup() {
  return StartChild([] {
    REQUIRE(setpgid(0, 0) == 0);
    ReadyAndAwaitGo();
    EXPECT_EQUAL(getpgrp(), getpid());
    EXPECT_EQUAL(tcgetsid(STDIN_FILENO), getsid(0));
  });
}

void Run() {
  const pid_t background = StartGroup();
  const pid_t foreground = StartGroup();
  REQUIRE(tcsetpgrp(STDIN_FILENO, foreground) == 0);
  EXPECT_EQUAL(write(STDOUT_FILENO, "ready\n", 6), 6);
  ReadyAndAwaitGo();
  EXPECT_EQUAL(tcgetsid(STDIN_FILENO), getpid());
  EXPECT_EQUAL(tcgetpgrp(STDIN_FILENO), foreground);
  EXPECT_EQUAL(write(STDOUT_FILENO, "hello\n", 6), 6);
  EndChild(background);
  EndChild(foreground);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::BeginOnTerminal(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
