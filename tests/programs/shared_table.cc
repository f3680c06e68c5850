// A child that shares the table of descriptors (CLONE_FILES), and one that shares directories.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

// Like fork, with more in common. The child says nothing: its exit status does.
template <typename Function>
pid_t Clone(unsigned long flags, Function body) {
  const pid_t pid = static_cast<pid_t>(syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0));
  REQUIRE(pid >= 0);
  if (pid == 0) _exit(body());
  return pid;
}

int StatusOf(pid_t pid) {
  int status = 0;
  EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
  return status;
}

void Run() {
  int to_child[2];
  REQUIRE(pipe(to_child) == 0);
  const pid_t child = Clone(CLONE_FILES, [&] {
    char byte = 0;
    if (read(to_child[0], &byte, 1) != 1 || byte != 'g') return 1;
    // The parent has opened 200 since.
    if (write(200, "x", 1) != 1) return 2;
    return fcntl(201, F_GETFD) == -1 ? 0 : 3;
  });
  const int file = open("file", O_RDWR | O_CREAT, 0600);
  REQUIRE(dup2(file, 201) == 201);

  ReadyAndAwaitGo();

  REQUIRE(dup2(file, 200) == 200);
  REQUIRE(close(201) == 0);
  EXPECT_EQUAL(write(to_child[1], "g", 1), 1);
  EXPECT_EQUAL(StatusOf(child), 0);
  EXPECT_EQUAL(lseek(file, 0, SEEK_CUR), 1);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
