#include "restorer/process_state.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <string>
#include <string_view>

#include "base/file.h"

namespace ckpt {

namespace {

// By RLIMIT_*.
constexpr std::array<std::string_view, 16> kLimitNames = {
    "CPU",     "FSIZE", "DATA",  "STACK",      "CORE",     "RSS",  "NPROC",  "NOFILE",
    "MEMLOCK", "AS",    "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"};

// struct sigaction as the kernel takes it on x86-64.
struct KernelSigaction {
  uint64_t handler;
  uint64_t flags;
  uint64_t restorer;
  uint64_t mask;
};
constexpr size_t kSignalSetBytes = 8;

Result<> AddSignalAction(const SignalActionPlan& action, RemoteCalls& calls) {
  CKPT_TRY(calls.MakeRoom(1, sizeof(KernelSigaction)));
  const RemotePtr pointer =
      calls.PutObject(KernelSigaction{action.handler, action.flags, action.restorer, action.mask});
  calls.Add(fmt::format("rt_sigaction({})", action.signal), SYS_rt_sigaction,
            {action.signal, pointer, 0, kSignalSetBytes});
  return success();
}

Result<> AddSignalActions(const TaskPlan& plan, RemoteCalls& calls) {
  for (const SignalActionPlan& action : plan.signal_actions) {
    CKPT_TRY(AddSignalAction(action, calls));
  }
  return success();
}

// The mask of registrations is one of MEMBARRIER_CMD_*, which are bits.
Result<> AddMembarriers(const TaskPlan& plan, RemoteCalls& calls) {
  for (uint32_t left = plan.membarrier_registrations; left != 0; left &= left - 1) {
    const uint32_t command = uint32_t{1} << std::countr_zero(left);
    CKPT_TRY(
        calls.Call(fmt::format("membarrier({:#x})", command), SYS_membarrier, {command, 0, 0}));
  }
  return success();
}

Result<> SetOomScore(const RestoredTask& task) {
  const TaskPlan& plan = *task.plan;
  if (!plan.oom_score_adj) return success();
  const std::string path = fmt::format("/proc/{}/oom_score_adj", task.stub.pid());
  CKPT_TRY(const std::string text, ReadWholeFile(path));
  int now = 0;
  std::from_chars(text.data(), text.data() + text.size(), now);
  if (now == *plan.oom_score_adj) return success();
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_WRONLY));
  return WriteAll(fd.get(), AsBytes(fmt::format("{}", *plan.oom_score_adj)),
                  fmt::format("{} (from {} to {})", path, now, *plan.oom_score_adj));
}

std::string LimitText(uint64_t limit) {
  return limit == RLIM_INFINITY ? "unlimited" : fmt::format("{}", limit);
}

// A dump need not hold limits: then they are the restorer's.
rlimit WantedLimit(const RestoredTask& task, size_t resource, rlimit now) {
  if (resource < task.plan->limits.size()) {
    const LimitPlan& limit = task.plan->limits[resource];
    return {.rlim_cur = limit.soft, .rlim_max = limit.hard};
  }
  if (resource == RLIMIT_NOFILE) now.rlim_cur = task.descriptor_limit;
  return now;
}

// What the restore itself did to children has left a SIGCHLD. The kernel drops what is pending of
// it when it is to be ignored, as it is by default (kernel/signal.c, do_sigaction()).
Result<> ForgetChildren(RestoredTask& task) {
  const auto action =
      std::ranges::find(task.plan->signal_actions, SIGCHLD, &SignalActionPlan::signal);
  if (action == task.plan->signal_actions.end()) return success();
  RemoteCalls calls = task.Calls();
  CKPT_TRY(AddSignalAction({.signal = SIGCHLD}, calls));
  CKPT_TRY(AddSignalAction(*action, calls));
  return calls.Flush();
}

// The buffer is the engine's scratch memory, which no batch uses at the time.
Result<> QueueSignal(RestoredTask& task, const SignalInfo& info, pid_t tid, bool to_thread) {
  const SyscallBatch batch = task.engine->NewBatch(0);
  CKPT_TRY(task.memory->Write(batch.start(), info));
  siginfo_t header;
  std::memcpy(&header, info.data(), sizeof(header));
  const pid_t pid = task.plan->pid;
  CKPT_TRY(const int64_t result, to_thread
                                     ? task.engine->Call(task.stub.leader(), SYS_rt_tgsigqueueinfo,
                                                         {pid, tid, header.si_signo, batch.start()})
                                     : task.engine->Call(task.stub.leader(), SYS_rt_sigqueueinfo,
                                                         {pid, header.si_signo, batch.start()}));
  if (result >= 0) return success();
  return ErrnoError(static_cast<int>(-result), "queueing signal {} of {} {} again", header.si_signo,
                    to_thread ? "thread" : "process", tid);
}

}  // namespace

Result<> SetProcessState(RestoredTask& task) {
  const TaskPlan& plan = *task.plan;
  RemoteCalls calls = task.Calls();
  CKPT_TRY(AddSignalActions(plan, calls));
  CKPT_TRY(AddMembarriers(plan, calls));
  CKPT_TRY(calls.Call(fmt::format("personality({:#x})", plan.personality), SYS_personality,
                      {plan.personality}));
  CKPT_TRY(calls.Call("prctl(PR_SET_CHILD_SUBREAPER)", SYS_prctl,
                      {PR_SET_CHILD_SUBREAPER, plan.child_subreaper ? 1 : 0, 0, 0, 0}));
  CKPT_TRY(calls.Flush());
  return SetOomScore(task);
}

Result<> SetLimits(RestoredTask& task) {
  const pid_t pid = task.stub.pid();
  RemoteCalls calls = task.Calls();
  for (size_t i = 0; i < kLimitNames.size(); ++i) {
    rlimit now{};
    if (prlimit(pid, static_cast<__rlimit_resource>(i), nullptr, &now) < 0) {
      const int saved = errno;
      return ErrnoError(saved, "prlimit({}, RLIMIT_{})", pid, kLimitNames[i]);
    }
    const rlimit wanted = WantedLimit(task, i, now);
    if (now.rlim_cur == wanted.rlim_cur && now.rlim_max == wanted.rlim_max) continue;
    CKPT_TRY(calls.MakeRoom(1, sizeof(wanted)));
    const RemotePtr pointer = calls.PutObject(wanted);
    calls.Add(fmt::format("prlimit(RLIMIT_{}): from {} (hard {}) to {} (hard {})", kLimitNames[i],
                          LimitText(now.rlim_cur), LimitText(now.rlim_max),
                          LimitText(wanted.rlim_cur), LimitText(wanted.rlim_max)),
              SYS_prlimit64, {0, i, pointer, 0});
  }
  return calls.Flush();
}

Result<> QueuePendingSignals(RestoredTask& task) {
  CKPT_TRY(ForgetChildren(task));
  for (const SignalInfo& info : task.plan->pending) {
    CKPT_TRY(QueueSignal(task, info, task.plan->pid, false));
  }
  for (const ThreadPlan& thread : task.plan->threads) {
    for (const SignalInfo& info : thread.pending) {
      CKPT_TRY(QueueSignal(task, info, thread.tid, true));
    }
  }
  return success();
}

}  // namespace ckpt
