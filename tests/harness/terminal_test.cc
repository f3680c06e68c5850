#include "tests/harness/terminal.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/harness/command.h"

namespace ckpt {
namespace {

// Whether a process in that role leads the session that the terminal controls.
bool Leads(SessionRole role) {
  Terminal terminal = Terminal::Open().value();
  const pid_t pid = terminal.Fork(role, 0).value();
  if (pid == 0) _exit(tcgetsid(STDIN_FILENO) != getsid(0) ? 2 : getsid(0) == getpid() ? 1 : 0);
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_LE(WEXITSTATUS(status), 1);
  return WEXITSTATUS(status) == 1;
}

TEST(Terminal, ALeaderLeadsItsSessionAndAMemberDoesNot) {
  EXPECT_TRUE(Leads(SessionRole::kLeader));
  EXPECT_FALSE(Leads(SessionRole::kMember));
}

TEST(Terminal, ACommandHasItForItsInputAndOutputs) {
  Terminal terminal = Terminal::Open().value();
  const auto result = RunCommandOn(terminal, {"sh", "-c", "test -t 0 && echo said >/dev/tty"});
  EXPECT_EQ(result.value().exit_status, 0);
  EXPECT_TRUE(terminal.Await("said"));
}

}  // namespace
}  // namespace ckpt
