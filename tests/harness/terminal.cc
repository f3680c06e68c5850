#include "tests/harness/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace ckpt {
namespace {

constexpr size_t kPieceBytes = 100;

// What a command is given of it are copies.
UniqueFd NotInherited(int fd) {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return UniqueFd(fd);
}

Result<pid_t> Clone(unsigned long flags, int exit_signal) {
  clone_args arguments = {};
  arguments.flags = flags;
  arguments.exit_signal = static_cast<unsigned>(exit_signal);
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
  if (pid < 0) return ErrnoError(errno, "clone3({:#x})", flags);
  return pid;
}

}  // namespace

Result<Terminal> Terminal::Open() {
  Terminal terminal;
  int master = -1;
  int slave = -1;
  if (openpty(&master, &slave, nullptr, nullptr, nullptr) != 0) return ErrnoError(errno, "openpty");
  terminal.master_ = NotInherited(master);
  terminal.slave_ = NotInherited(slave);
  terminal.path_ = ttyname(slave);
  return terminal;
}

Terminal::~Terminal() {
  if (shell_ == 0) return;
  kill(shell_, SIGKILL);
  waitpid(shell_, nullptr, 0);
}

void Terminal::LeadSession() const {
  if (setsid() < 0 || ioctl(slave_.get(), TIOCSCTTY, 0) != 0) _exit(126);
}

Result<pid_t> Terminal::Fork(SessionRole role, unsigned namespaces) {
  const bool is_leader = role == SessionRole::kLeader;
  // A description of its own, which lies on a mount of the caller.
  CKPT_TRY(const UniqueFd opened, OpenFile(path_, O_RDWR | O_NOCTTY));
  CKPT_TRY(const pid_t pid, is_leader ? Clone(namespaces, SIGCHLD) : ForkMember(namespaces));
  if (pid != 0) return pid;
  if (is_leader) LeadSession();
  for (const int fd : {0, 1, 2}) {
    if (dup2(opened.get(), fd) < 0) _exit(126);
  }
  return 0;
}

// The member is a child of the caller, not of the shell.
Result<pid_t> Terminal::ForkMember(unsigned namespaces) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoError(errno, "pipe2(O_CLOEXEC)");
  const UniqueFd answer(ends[0]);
  UniqueFd answers(ends[1]);
  CKPT_TRY(shell_, Clone(0, SIGCHLD));
  if (shell_ == 0) {
    LeadSession();
    const Result<pid_t> cloned = Clone(namespaces | CLONE_PARENT, 0);
    if (cloned.has_value() && cloned.value() == 0) return 0;
    const pid_t told = cloned.has_value() ? cloned.value() : 0;
    if (write(answers.get(), &told, sizeof(told)) != sizeof(told)) _exit(126);
    while (true) pause();
  }
  answers.Reset();
  pid_t member = 0;
  if (read(answer.get(), &member, sizeof(member)) == sizeof(member) && member != 0) return member;
  return MakeError(ErrorCode::kSystem, "no process in the session of {}", path_);
}

bool Terminal::Await(const std::string& word) const {
  std::string text;
  while (text.find(word) == std::string::npos) {
    std::array<char, kPieceBytes> piece{};
    const ssize_t got = read(master_.get(), piece.data(), piece.size());
    if (got <= 0) return false;
    text.append(piece.data(), static_cast<size_t>(got));
  }
  return true;
}

}  // namespace ckpt
