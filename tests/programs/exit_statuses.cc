// Zombies with exit statuses that need all eight bits, and others.
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr std::array kStatuses = {0, 1, 127, 128, 200, 255};

pid_t Zombie(int exit_status) {
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) _exit(exit_status);
  siginfo_t info = {};
  REQUIRE(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
  return pid;
}

void Run() {
  std::array<pid_t, kStatuses.size()> zombies{};
  for (size_t i = 0; i < zombies.size(); ++i) zombies[i] = Zombie(kStatuses[i]);
  ReadyAndAwaitGo();
  for (size_t i = 0; i < zombies.size(); ++i) {
    int status = 0;
    EXPECT_EQUAL(waitpid(zombies[i], &status, WNOHANG), zombies[i]);
    EXPECT_EQUAL(status, kStatuses[i] << 8);
  }
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
