// The first process of a pid namespace: starts the program that its arguments name, hands SIGUSR1
// on to it, reaps what becomes its child, and ends with the program and its status.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int kSignals[] = {SIGUSR1, SIGCHLD};

int Status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Reaps all that has ended. The status of `program` once it has, else -1.
int Reap(pid_t program) {
  int result = -1;
  int status = 0;
  for (pid_t ended = 0; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (ended == program) result = Status(status);
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  sigset_t set;
  sigset_t none;
  sigemptyset(&none);
  sigemptyset(&set);
  for (const int signal : kSignals) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const pid_t program = fork();
  if (program < 0) return 2;
  if (program == 0) {
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execv(argv[1], argv + 1);
    _exit(127);
  }
  for (int status = Reap(program);; status = Reap(program)) {
    if (status >= 0) return status;
    if (sigwaitinfo(&set, nullptr) == SIGUSR1) kill(program, SIGUSR1);
  }
}
