#include "tests/images/user_container.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>

#include "base/file.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

constexpr unsigned kNamespaces =
    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;
constexpr char kIdentityMap[] = "0 0 65536\n";

[[noreturn]] void Die(const char* what) {
  perror(what);
  _exit(125);
}

void Mount(const char* source, const std::string& target, const char* type, unsigned long flags) {
  if (mount(source, target.c_str(), type, flags, nullptr) != 0) Die(target.c_str());
}

// The kernel locks mounts that come from the namespace before: the root is bound once more.
void EnterRoot(const std::string& root) {
  Mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE);
  Mount(root.c_str(), root, nullptr, MS_BIND);
  Mount("/dev/null", root + "/dev/null", nullptr, MS_BIND);
  Mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
  Mount("binfmt_misc", root + "/binfmt_misc", "binfmt_misc", 0);
  if (chdir(root.c_str()) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
      umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) {
    Die("pivot_root");
  }
}

[[noreturn]] void RunProgram(const std::string& program, const std::string& root, int mapped) {
  char byte = 0;
  if (read(mapped, &byte, 1) != 1) Die("read");
  EnterRoot(root);
  setsid();
  for (int fd : {0, 1, 2}) close(fd);
  if (open("/dev/null", O_RDWR) != 0 || dup(0) != 1 || dup(0) != 2) _exit(126);
  syscall(SYS_close_range, 3, ~0U, 0);
  const std::string path = "/bin/" + program;
  const char* const arguments[] = {path.c_str(), "/work", nullptr};
  const char* const environment[] = {"PATH=/bin", "LC_ALL=C", nullptr};
  execve(path.c_str(), const_cast<char**>(arguments), const_cast<char**>(environment));
  _exit(127);
}

Result<> WriteMap(pid_t pid, const char* name) {
  std::ofstream map(fmt::format("/proc/{}/{}", pid, name));
  map << kIdentityMap;
  if (map.flush()) return success();
  return MakeError(ErrorCode::kSystem, "cannot write {} of process {}", name, pid);
}

Result<pid_t> Spawn(const std::string& program, const std::string& root) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoError(errno, "pipe2()");
  const UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  clone_args arguments = {};
  arguments.flags = kNamespaces;
  arguments.exit_signal = SIGCHLD;
  const pid_t pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
  if (pid < 0) return ErrnoError(errno, "clone3({:#x})", kNamespaces);
  if (pid == 0) RunProgram(program, root, read_end.get());
  for (const char* name : {"uid_map", "gid_map"}) CKPT_TRY(WriteMap(pid, name));
  if (write(write_end.get(), "m", 1) != 1) return ErrnoError(errno, "write(pipe)");
  return pid;
}

}  // namespace

Result<Subject> StartInUserNamespace(const std::string& program, const std::string& folder) {
  const std::string root = folder + "/rootfs";
  CKPT_TRY(RunCommandWell({"mkdir", "-p", root + "/bin", root + "/dev", root + "/proc",
                           root + "/binfmt_misc", root + "/work"}));
  CKPT_TRY(RunCommandWell({"touch", root + "/dev/null"}));
  CKPT_TRY(RunCommandWell(
      {"cp", "-L", RunfilePath("tests/programs/" + program), root + "/bin/" + program}));
  return Subject::StartBy([&] { return Spawn(program, root); }, root + "/work");
}

}  // namespace ckpt
