#include "restorer/tty_steps.h"

#include <asm/termbits.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ckpt {

namespace {

constexpr int kStealing = 1;  // TIOCSCTTY

// Who is in the background gets SIGTTOU for setting up a terminal, and is stopped, unless it blocks
// the signal.
class BlockedTtou {
 public:
  BlockedTtou() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &signals, &old_mask_);
  }
  BlockedTtou(const BlockedTtou&) = delete;
  BlockedTtou& operator=(const BlockedTtou&) = delete;
  ~BlockedTtou() { pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr); }

 private:
  sigset_t old_mask_;
};

Result<> SetUp(const TermiosPlan& settings) {
  termios value{};
  value.c_iflag = settings.input_flags;
  value.c_oflag = settings.output_flags;
  value.c_cflag = settings.control_flags;
  value.c_lflag = settings.local_flags;
  value.c_line = settings.line;
  std::ranges::copy(settings.characters, value.c_cc);
  if (ioctl(STDIN_FILENO, TCSETS, &value) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "ioctl(TCSETS) of the standard input");
}

// Of a session from outside of the dump, which the plan has no number for.
bool IsOfOurSession(pid_t group, const RestorePlan& plan) {
  return group > 0 && std::ranges::any_of(plan.tasks, [&](const TaskPlan& task) {
           return task.sid == 0 && task.pgid == group;
         });
}

// As a shell does that starts a job. Where the terminal does not control our session nobody is in
// the foreground of it.
Result<> GiveForeground(pid_t group) {
  if (ioctl(STDIN_FILENO, TIOCSPGRP, &group) == 0 || errno == ENOTTY) return success();
  const int saved = errno;
  return ErrnoError(saved, "ioctl(TIOCSPGRP, {}) of the standard input", group);
}

}  // namespace

Result<> SetTerminal(const RestorePlan& plan) {
  const BlockedTtou blocked;
  for (const auto& [id, terminal] : plan.terminals) {
    if (terminal.settings) CKPT_TRY(SetUp(*terminal.settings));
    if (IsOfOurSession(terminal.foreground_group, plan)) {
      CKPT_TRY(GiveForeground(terminal.foreground_group));
    }
  }
  return success();
}

Result<> TakeTerminal(RestoredTask& task) {
  if (!task.plan->terminal) return success();
  RemoteCalls calls = task.Calls();
  calls.Add("ioctl(0, TIOCSCTTY)", SYS_ioctl, {STDIN_FILENO, TIOCSCTTY, kStealing});
  return calls.Flush();
}

Result<> SetForegroundGroup(RestoredTask& task) {
  if (!task.plan->terminal || task.plan->terminal->foreground_group <= 0) return success();
  const ControllingTerminalPlan& terminal = *task.plan->terminal;
  RemoteCalls calls = task.Calls();
  CKPT_TRY(calls.MakeRoom(1, sizeof(pid_t)));
  const RemotePtr pointer = calls.PutObject(terminal.foreground_group);
  calls.Add(fmt::format("ioctl({}, TIOCSPGRP, {})", terminal.fd, terminal.foreground_group),
            SYS_ioctl, {terminal.fd, TIOCSPGRP, pointer});
  return calls.Flush();
}

}  // namespace ckpt
