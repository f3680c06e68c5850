// Children that have dumped core, or were not allowed to, and that nobody has waited for.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

pid_t Crash(rlim_t core_bytes, int signal) {
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    rlimit limit{};
    getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = core_bytes;
    setrlimit(RLIMIT_CORE, &limit);
    kill(getpid(), signal);
    _exit(99);
  }
  return pid;
}

siginfo_t Look(pid_t pid) {
  siginfo_t info = {};
  EXPECT_EQUAL(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  return info;
}

// It depends on the machine whether cores are dumped at all.
struct Ended {
  pid_t pid;
  int code;
};

Ended Zombie(rlim_t core_bytes, int signal) {
  const pid_t pid = Crash(core_bytes, signal);
  return {pid, Look(pid).si_code};
}

void ExpectSameEnd(const Ended& ended, int signal) {
  EXPECT_EQUAL(Look(ended.pid).si_code, ended.code);
  int status = 0;
  EXPECT_EQUAL(waitpid(ended.pid, &status, WNOHANG), ended.pid);
  EXPECT_EQUAL(status, ended.code == CLD_DUMPED ? signal | 0x80 : signal);
}

void Run() {
  // A program that takes cores would hear of these: not of one that may have one byte.
  const bool is_taken = FileText("/proc/sys/kernel/core_pattern").starts_with('|');
  const rlim_t core_bytes = is_taken ? 1 : 65'536;
  const Ended dumped = Zombie(core_bytes, SIGSEGV);
  const Ended aborted = Zombie(core_bytes, SIGABRT);
  const Ended refused = Zombie(1, SIGSEGV);
  const bool file_was_there = access("core", F_OK) == 0;

  ReadyAndAwaitGo();

  ExpectSameEnd(dumped, SIGSEGV);
  ExpectSameEnd(aborted, SIGABRT);
  ExpectSameEnd(refused, SIGSEGV);
  EXPECT_EQUAL(access("core", F_OK) == 0, file_was_there);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
