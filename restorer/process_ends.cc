#include "restorer/process_ends.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>

#include "process/task_stat.h"
#include "restorer/harmless_core.h"

namespace ckpt {

namespace {

// Of a thread's name, with its NUL (prctl(2), PR_SET_NAME).
constexpr size_t kNameBytes = 16;

// struct sigaction of the kernel on x86-64, of zeroes: SIG_DFL.
constexpr std::array<uint64_t, 4> kDefaultAction{};
constexpr size_t kSignalSetBytes = 8;

// It is not to dump core on its way, unless that has been prepared.
Result<> PrepareEnd(RestoredTask& zombie, int signal, bool dumps_core) {
  std::string name = zombie.plan->threads.front().comm;
  name.resize(kNameBytes);
  RemoteCalls calls = zombie.Calls();
  CKPT_TRY(calls.MakeRoom(3, 256));
  calls.Add("prctl(PR_SET_NAME)", SYS_prctl, {PR_SET_NAME, calls.PutString(name), 0, 0, 0});
  if (!dumps_core) {
    calls.Add("prctl(PR_SET_DUMPABLE, 0)", SYS_prctl, {PR_SET_DUMPABLE, 0, 0, 0, 0});
  }
  if (signal != 0 && signal != SIGKILL) {
    calls.Add(fmt::format("rt_sigaction({}, SIG_DFL)", signal), SYS_rt_sigaction,
              {signal, calls.PutObject(kDefaultAction), 0, kSignalSetBytes});
  }
  return calls.Flush();
}

// The call that it does not come back from.
Result<> Exit(RestoredTask& zombie, int code) {
  RemoteCalls calls = zombie.Calls();
  CKPT_TRY(calls.Call(fmt::format("exit_group({})", code), SYS_exit_group, {code}));
  const Result<> ended = calls.Flush();
  if (ended.has_error() && ended.error().code == ErrorCode::kProcessGone) return success();
  if (ended.has_error()) return ended;
  return MakeError(ErrorCode::kSystem, "exit_group({}): returned", code);
}

Result<> DieOf(RestoredTask& zombie, int signal) {
  Tracee& leader = zombie.stub.leader();
  if (kill(zombie.stub.pid(), signal) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "kill({}, {})", zombie.stub.pid(), signal);
  }
  if (signal == SIGKILL) return success();
  CKPT_TRY(leader.SetSignalMask(0));
  int passed_on = 0;
  while (true) {
    CKPT_TRY(leader.Resume(passed_on));
    const Result<Stop> stop = leader.WaitForStop();
    if (stop.has_error() && stop.error().code == ErrorCode::kProcessGone) return success();
    if (stop.has_error()) return stop.error();
    if (passed_on == signal) {
      return MakeError(ErrorCode::kSystem, "signal {} does not end process {}", signal,
                       zombie.plan->pid);
    }
    passed_on = stop.value().kind == Stop::Kind::kSignal ? stop.value().signal : 0;
  }
}

void WarnOfCore(const RestoredTask& zombie, std::string_view reason) {
  zombie.log->Warning("process {}: its parent will not be told that it dumped core: {}",
                      zombie.plan->pid, reason);
}

bool MayDumpCore(RestoredTask& zombie) {
  const Result<> prepared = PrepareHarmlessCore(zombie);
  if (prepared.has_error()) WarnOfCore(zombie, prepared.error().message);
  return prepared.has_value();
}

void WarnUnlessDumped(const RestoredTask& zombie) {
  const Result<TaskStat> stat = ReadTaskStat(zombie.stub.pid());
  if (stat.has_error()) return WarnOfCore(zombie, stat.error().message);
  if (!WCOREDUMP(stat.value().exit_code)) WarnOfCore(zombie, "the kernel has made none");
}

// For processes that are not our children: nobody tells us.
Result<> AwaitStop(pid_t pid) {
  while (true) {
    CKPT_TRY(const TaskStat stat, ReadTaskStat(pid));
    if (stat.state == 'T') return success();
    if (stat.state == 'Z' || stat.state == 'X') {
      return MakeError(ErrorCode::kProcessGone, "process {} has ended", pid);
    }
    sched_yield();
  }
}

}  // namespace

Result<> EndHelpers(RestoredTree& tree) {
  for (const std::unique_ptr<RestoredTask>& task : tree.tasks()) {
    if (task->plan->state == TaskPlan::State::kHelper) CKPT_TRY(tree.EndHelper(*task));
  }
  return success();
}

Result<> EndZombie(RestoredTask& zombie) {
  const int status = zombie.plan->exit_status;
  const bool by_signal = WIFSIGNALED(status);
  const bool dumps_core = by_signal && WCOREDUMP(status) && MayDumpCore(zombie);
  CKPT_TRY(PrepareEnd(zombie, by_signal ? WTERMSIG(status) : 0, dumps_core));
  CKPT_TRY(by_signal ? DieOf(zombie, WTERMSIG(status)) : Exit(zombie, WEXITSTATUS(status)));
  zombie.stub.AwaitEnd();
  if (dumps_core) WarnUnlessDumped(zombie);
  return success();
}

Result<> StopAndRelease(RestoredTask& task) {
  const pid_t pid = task.stub.pid();
  if (kill(pid, SIGSTOP) < 0) {
    const int saved = errno;
    return ErrnoError(saved, "kill({}, SIGSTOP)", pid);
  }
  CKPT_TRY(task.stub.Release());
  return AwaitStop(pid);
}

}  // namespace ckpt
