// A job as an interactive shell starts it: a group of its own in the session of the shell, in the
// foreground of the terminal.
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

void Run() {
  REQUIRE(signal(SIGTTOU, SIG_IGN) != SIG_ERR);
  REQUIRE(setpgid(0, 0) == 0);
  REQUIRE(tcsetpgrp(STDIN_FILENO, getpid()) == 0);
  const pid_t member = StartChild([] {
    ReadyAndAwaitGo();
    EXPECT_EQUAL(getpgrp(), getppid());
    EXPECT_EQUAL(tcgetsid(STDIN_FILENO), getsid(0));
  });
  EXPECT_EQUAL(write(STDOUT_FILENO, "ready\n", 6), 6);
  ReadyAndAwaitGo();
  EXPECT_EQUAL(getpgrp(), getpid());
  EXPECT_EQUAL(tcgetsid(STDIN_FILENO), getsid(0));
  EXPECT_EQUAL(tcgetpgrp(STDIN_FILENO), getpid());
  EXPECT_EQUAL(write(STDOUT_FILENO, "hello\n", 6), 6);
  EndChild(member);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::BeginOnTerminal(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
