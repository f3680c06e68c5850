#include "tests/harness/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "tests/harness/process_tree.h"

namespace ckpt {
namespace {

// Far more than any program takes, on a loaded machine too.
constexpr int kPatienceMilliseconds = 120'000;

Result<UniqueFd> OpenPidfd(pid_t pid) {
  UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!fd.valid()) return ErrnoError(errno, "pidfd_open({})", pid);
  return fd;
}

// In the child. Only the program itself is in the new session, with nothing of the test's open.
[[noreturn]] void ExecProgram(const std::string& program, const std::string& workdir) {
  setsid();
  const int null = open("/dev/null", O_RDWR);
  for (int fd : {0, 1, 2}) {
    if (dup2(null, fd) < 0) _exit(126);
  }
  syscall(SYS_close_range, 3, ~0U, 0);
  const char* const arguments[] = {program.c_str(), workdir.c_str(), nullptr};
  const char* const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", nullptr};
  execve(program.c_str(), const_cast<char**>(arguments), const_cast<char**>(environment));
  _exit(127);
}

Result<UniqueFd> WatchDirectory(const std::string& path) {
  UniqueFd fd(inotify_init1(IN_CLOEXEC));
  if (!fd.valid()) return ErrnoError(errno, "inotify_init1(IN_CLOEXEC)");
  if (inotify_add_watch(fd.get(), path.c_str(), IN_MOVED_TO) < 0) {
    return ErrnoError(errno, "inotify_add_watch(\"{}\", IN_MOVED_TO)", path);
  }
  return fd;
}

}  // namespace

Result<Subject> Subject::Start(const std::string& program, const std::string& workdir) {
  const auto spawn = [&]() -> Result<pid_t> {
    const pid_t pid = fork();
    if (pid < 0) return ErrnoError(errno, "fork()");
    if (pid == 0) ExecProgram(program, workdir);
    return pid;
  };
  return StartBy(spawn, workdir);
}

Result<Subject> Subject::StartBy(const std::function<Result<pid_t>()>& spawn,
                                 const std::string& workdir) {
  CKPT_TRY(const UniqueFd watch, WatchDirectory(workdir));
  CKPT_TRY(const pid_t pid, spawn());
  CKPT_TRY(Subject subject, Adopt(pid, workdir));
  CKPT_TRY(subject.AwaitReady(watch.get()));
  return subject;
}

Result<Subject> Subject::Adopt(pid_t pid, const std::string& workdir) {
  CKPT_TRY(UniqueFd pidfd, OpenPidfd(pid));
  return Subject(pid, workdir, std::move(pidfd));
}

Subject::~Subject() {
  if (pid_ == 0) return;
  const Result<std::vector<pid_t>> listed = ProcessTree(pid_);
  const std::vector<pid_t> tree = listed.has_value() ? listed.value() : std::vector{pid_};
  for (const pid_t pid : tree) kill(pid, SIGKILL);
  (void)AwaitEnd();
  ReapDescendants(tree);
}

Result<> Subject::AwaitReady(int inotify_fd) {
  while (!std::filesystem::exists(workdir_ + "/ready")) {
    pollfd polled[] = {{inotify_fd, POLLIN, 0}, {pidfd_.get(), POLLIN, 0}};
    if (poll(polled, 2, kPatienceMilliseconds) <= 0 || polled[1].revents != 0) {
      CKPT_TRY(const std::string verdict, Verdict());
      return MakeError(ErrorCode::kInternal, "the program in {} did not get ready: {}", workdir_,
                       verdict);
    }
    char events[4096];
    if (read(inotify_fd, events, sizeof(events)) < 0) return ErrnoError(errno, "read(inotify)");
  }
  return success();
}

Result<> Subject::Signal(int number) {
  if (kill(pid_, number) != 0) return ErrnoError(errno, "kill({}, {})", pid_, number);
  return success();
}

Result<std::string> Subject::Verdict() {
  CKPT_TRY(Signal(SIGUSR1));
  pollfd polled = {pidfd_.get(), POLLIN, 0};
  if (poll(&polled, 1, kPatienceMilliseconds) <= 0) {
    return MakeError(ErrorCode::kInternal, "process {} gives no verdict", pid_);
  }
  CKPT_TRY(const int status, AwaitEnd());
  const Result<std::string> verdict = ReadWholeFile(workdir_ + "/verdict");
  if (verdict.has_value()) return verdict.value();
  return fmt::format("ended with {} and without a verdict", status);
}

Result<int> Subject::AwaitEnd() {
  siginfo_t info = {};
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0) {
    if (errno != EINTR) return ErrnoError(errno, "waitid(P_PID, {}, WEXITED)", pid_);
  }
  pid_ = 0;
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

Result<char> Subject::State() const {
  CKPT_TRY(const std::string stat, ReadWholeFile(fmt::format("/proc/{}/stat", pid_)));
  const size_t end = stat.rfind(") ");
  if (end == std::string::npos) return MakeError(ErrorCode::kBadFormat, "stat: {}", stat);
  return stat[end + 2];
}

Result<> Subject::AwaitStop() {
  siginfo_t info = {};
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WNOWAIT) != 0) {
    return ErrnoError(errno, "waitid(P_PID, {}, WSTOPPED)", pid_);
  }
  return success();
}

}  // namespace ckpt
