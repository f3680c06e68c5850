// Starts a container as the scenario has it, and leaves it running.
//
//   run_container ROOT HOST-FILES LAYER-FILE ARGUMENT...
//
// ROOT, a mount, becomes the root file system, with the mounts of tests/harness/container_mounts.h;
// HOST-FILES is the folder with hosts, resolv.conf and hostname. The program is executed by a
// descriptor of LAYER-FILE that was opened before the mount namespace was left: its mappings then
// show the path in the layer, and a mount that the container does not have, as AUFS had it.
// Arguments begin with the name of the program. Its input and outputs are /dev/null.
// Prints the pid of the container's first process.
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "base/file.h"
#include "tests/harness/container_mounts.h"

namespace ckpt {
namespace {

// The first process of the container.
Result<> Become(const char* root, const char* host_files, int program, char** arguments) {
  if (setsid() < 0) return ErrnoError(errno, "setsid()");
  CKPT_TRY(MountContainer({.root = root, .host_files = host_files}));
  const int null = open("/dev/null", O_RDWR);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (dup2(null, fd) < 0) return ErrnoError(errno, "dup2 of /dev/null");
  }
  syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  char path[] = "PATH=/bin";
  char* environment[] = {path, nullptr};
  fexecve(program, arguments, environment);
  return ErrnoError(errno, "fexecve");
}

Result<pid_t> Start(char** words) {
  CKPT_TRY(const UniqueFd program, OpenFile(words[2], O_RDONLY));
  clone_args how{};
  how.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;
  how.exit_signal = SIGCHLD;
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &how, sizeof(how)));
  if (pid < 0) return ErrnoError(errno, "clone3({:#x})", static_cast<uint64_t>(how.flags));
  if (pid != 0) return pid;
  const Result<> failed = Become(words[0], words[1], program.get(), words + 3);
  fprintf(stderr, "run_container: %s\n", failed.error().message.c_str());
  _exit(125);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const ckpt::Result<pid_t> pid = ckpt::Start(argv + 1);
  if (pid.has_error()) {
    fprintf(stderr, "run_container: %s\n", pid.error().message.c_str());
    return 1;
  }
  printf("%d\n", pid.value());
  return 0;
}
