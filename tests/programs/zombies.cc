// Children that have ended and that nobody has waited for.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

pid_t Zombie(void (*end)()) {
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    end();
    _exit(99);
  }
  siginfo_t info = {};
  REQUIRE(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
  return pid;
}

void ExpectStatus(pid_t pid, int expected) {
  siginfo_t info = {};
  EXPECT_EQUAL(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT | WNOHANG), 0);
  EXPECT_EQUAL(info.si_pid, pid);
  int status = 0;
  EXPECT_EQUAL(waitpid(pid, &status, WNOHANG), pid);
  EXPECT_EQUAL(status, expected);
}

void Run() {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  REQUIRE(sigprocmask(SIG_BLOCK, &blocked, nullptr) == 0);
  const pid_t fine = Zombie([] { _exit(0); });
  const pid_t failed = Zombie([] { _exit(42); });
  const pid_t killed = Zombie([] { kill(getpid(), SIGKILL); });
  const pid_t terminated = Zombie([] {
    setpgid(0, 0);
    kill(getpid(), SIGTERM);
  });
  const pid_t session = Zombie([] {
    setsid();
    _exit(1);
  });
  const pid_t alive = StartChild([] {
    const pid_t own = Zombie([] { _exit(3); });
    ReadyAndAwaitGo();
    ExpectStatus(own, 3 << 8);
  });

  ReadyAndAwaitGo();

  // The signals of five deaths are one.
  siginfo_t info = {};
  const timespec at_once = {};
  EXPECT_EQUAL(sigtimedwait(&blocked, &info, &at_once), SIGCHLD);
  EXPECT_EQUAL(info.si_pid, fine);
  EXPECT_EQUAL(sigtimedwait(&blocked, &info, &at_once), -1);
  ExpectStatus(fine, 0);
  ExpectStatus(failed, 42 << 8);
  ExpectStatus(killed, SIGKILL);
  ExpectStatus(terminated, SIGTERM);
  ExpectStatus(session, 1 << 8);
  EndChild(alive);
  EXPECT_EQUAL(waitpid(-1, nullptr, WNOHANG), -1);  // there are no more
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
