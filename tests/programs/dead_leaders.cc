// Processes whose session or process group has lost its leader.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

void Stay() {
  const pid_t session = getsid(0);
  const pid_t group = getpgrp();
  ReadyAndAwaitGo();
  EXPECT_EQUAL(getsid(0), session);
  EXPECT_EQUAL(getpgrp(), group);
}

// A leader of a session or group that has ended, and whose child has come to us.
struct Orphan {
  pid_t leader = 0;
  pid_t pid = 0;
};

Orphan MakeOrphan(bool session) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  Orphan orphan;
  orphan.leader = fork();
  REQUIRE(orphan.leader >= 0);
  if (orphan.leader == 0) {
    REQUIRE(session ? setsid() > 0 : setpgid(0, 0) == 0);
    close(ends[0]);
    const pid_t pid = StartChild([&] {
      close(ends[1]);
      Stay();
    });
    _exit(write(ends[1], &pid, sizeof(pid)) == sizeof(pid) ? 0 : 1);
  }
  close(ends[1]);
  REQUIRE(read(ends[0], &orphan.pid, sizeof(orphan.pid)) == sizeof(orphan.pid));
  close(ends[0]);
  REQUIRE(waitpid(orphan.leader, nullptr, 0) == orphan.leader);
  return orphan;
}

void Run() {
  REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  const Orphan of_session = MakeOrphan(true);
  const Orphan of_group = MakeOrphan(false);

  ReadyAndAwaitGo();

  int subreaper = 0;
  EXPECT(prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper == 1);
  EXPECT_EQUAL(getsid(of_session.pid), of_session.leader);
  EXPECT_EQUAL(getpgid(of_session.pid), of_session.leader);
  EXPECT_EQUAL(getsid(of_group.pid), getpid());
  EXPECT_EQUAL(getpgid(of_group.pid), of_group.leader);
  EXPECT_EQUAL(kill(of_session.leader, 0), -1);  // nobody is left in its place
  EXPECT_EQUAL(kill(of_group.leader, 0), -1);
  EndChild(of_session.pid);
  EndChild(of_group.pid);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
