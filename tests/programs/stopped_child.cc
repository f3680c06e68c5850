// A child that is stopped, one that is not, and one that was and goes on.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

char StateOf(pid_t pid) {
  const std::string stat = FileText("/proc/" + std::to_string(pid) + "/stat");
  return stat[stat.rfind(") ") + 2];
}

void Stop(pid_t pid) {
  int status = 0;
  REQUIRE(kill(pid, SIGSTOP) == 0);
  REQUIRE(waitpid(pid, &status, WUNTRACED) == pid);
  REQUIRE(WIFSTOPPED(status));
}

void Run() {
  const pid_t stopped = StartChild(ReadyAndAwaitGo);
  const pid_t running = StartChild(ReadyAndAwaitGo);
  const pid_t continued = StartChild(ReadyAndAwaitGo);
  Stop(stopped);
  Stop(continued);
  REQUIRE(kill(continued, SIGCONT) == 0);

  ReadyAndAwaitGo();

  EXPECT_EQUAL(StateOf(stopped), 'T');
  EXPECT(StateOf(running) != 'T');
  EXPECT(StateOf(continued) != 'T');
  REQUIRE(kill(stopped, SIGCONT) == 0);
  for (const pid_t child : {stopped, running, continued}) EndChild(child);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
