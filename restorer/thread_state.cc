#include "restorer/thread_state.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csignal>
#include <string>

#include "process/xsave_layout.h"
#include "restorer/extended_state.h"

namespace ckpt {

namespace {

// Of a thread's name, with its NUL (prctl(2), PR_SET_NAME).
constexpr size_t kNameBytes = 16;

constexpr uint64_t kThreadFlags =
    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

// struct rseq of linux/rseq.h, field rseq_cs.
constexpr uint64_t kRseqCsOffset = 8;

Error OfThread(pid_t tid, Error error) {
  return std::move(error).In(fmt::format("thread {}", tid));
}

// A thread without one gets none either: the stub may have inherited the restorer's.
stack_t AlternateStackOf(const ThreadPlan& plan) {
  stack_t stack{};
  stack.ss_flags = SS_DISABLE;
  if (!plan.alternate_stack || (plan.alternate_stack->flags & SS_DISABLE) != 0) return stack;
  stack.ss_sp = std::bit_cast<void*>(plan.alternate_stack->start);
  // That the thread runs on it is known by its stack pointer.
  stack.ss_flags = plan.alternate_stack->flags & ~SS_ONSTACK;
  stack.ss_size = plan.alternate_stack->size_bytes;
  return stack;
}

Result<> AddStacksAndLists(const ThreadPlan& plan, RemoteCalls& calls) {
  CKPT_TRY(calls.MakeRoom(4, sizeof(stack_t) + 16));
  const RemotePtr stack = calls.PutObject(AlternateStackOf(plan));
  calls.Add("sigaltstack", SYS_sigaltstack, {stack, 0});
  calls.Add("set_tid_address", SYS_set_tid_address, {plan.clear_tid_address});
  if (plan.robust_list != 0) {
    calls.Add(fmt::format("set_robust_list({:#x}, {})", plan.robust_list, plan.robust_list_bytes),
              SYS_set_robust_list, {plan.robust_list, plan.robust_list_bytes});
  }
  if (plan.rseq) {
    calls.Add(fmt::format("rseq({:#x}, {})", plan.rseq->abi_pointer, plan.rseq->abi_size_bytes),
              SYS_rseq,
              {plan.rseq->abi_pointer, plan.rseq->abi_size_bytes, 0, plan.rseq->signature});
  }
  return success();
}

Result<> AddSchedulingAndName(const ThreadPlan& plan, RemoteCalls& calls) {
  CKPT_TRY(calls.MakeRoom(3, sizeof(sched_param) + 2 * kNameBytes));
  if (plan.scheduling) {
    const sched_param parameters{.sched_priority = plan.scheduling->priority};
    const RemotePtr pointer = calls.PutObject(parameters);
    calls.Add(fmt::format("sched_setscheduler(policy {}, priority {})", plan.scheduling->policy,
                          plan.scheduling->priority),
              SYS_sched_setscheduler, {0, plan.scheduling->policy, pointer});
    calls.Add(fmt::format("setpriority(nice {})", plan.scheduling->nice), SYS_setpriority,
              {0, 0, plan.scheduling->nice});
  }
  std::array<char, kNameBytes> name{};
  std::copy_n(plan.comm.begin(), std::min(plan.comm.size(), kNameBytes - 1), name.begin());
  const RemotePtr pointer = calls.PutObject(name);
  calls.Add("prctl(PR_SET_NAME)", SYS_prctl, {PR_SET_NAME, pointer, 0, 0, 0});
  return success();
}

Result<> SetThreadState(const RestoredTask& task, const ThreadPlan& plan, Tracee& thread) {
  RemoteCalls calls(*task.engine, thread, RemoteCalls::kFewCalls);
  CKPT_TRY(AddStacksAndLists(plan, calls));
  CKPT_TRY(AddSchedulingAndName(plan, calls));
  return calls.Flush();
}

Result<> SetThreadRegisters(const ThreadPlan& plan, Tracee& thread) {
  CKPT_TRY(std::vector<std::byte> area, thread.GetXState());
  CKPT_TRY(area, BuildExtendedState(plan.extended, std::move(area), ExtendedStateHost()));
  CKPT_TRY(thread.SetXState(area));
  CKPT_TRY(thread.SetSignalMask(plan.signal_mask));
  return thread.SetRegisters(plan.registers);
}

}  // namespace

Result<> CheckRegisters(const ThreadPlan& plan) {
  const Result<std::vector<std::byte>> area = BuildExtendedState(
      plan.extended, std::vector<std::byte>(XsaveAreaBytes()), ExtendedStateHost());
  if (area.has_value()) return success();
  return Error(area.error()).In(fmt::format("core-{}.img", plan.tid));
}

Result<> MakeThreads(RestoredTask& task) {
  const std::vector<ThreadPlan>& plans = task.plan->threads;
  RemoteCalls calls = task.Calls(plans.size());
  for (size_t i = 1; i < plans.size(); ++i) {
    CKPT_TRY(calls.MakeRoom(1, sizeof(clone_args) + 32));
    clone_args args{};
    args.flags = kThreadFlags;
    args.set_tid = calls.PutObject(plans[i].tid).address();
    args.set_tid_size = 1;
    const RemotePtr pointer = calls.PutObject(args);
    calls.Add(fmt::format("clone3 of thread {}", plans[i].tid), SYS_clone3, {pointer, sizeof(args)},
              plans[i].tid);
  }
  CKPT_TRY(calls.Flush());
  const std::vector<pid_t> made = task.stub.leader().TakeMadeTasks();
  for (const pid_t tid : made) task.stub.threads().push_back(Tracee::Adopt(tid));
  CKPT_CHECK(task.stub.threads().size() == plans.size());
  for (Tracee& thread : std::span(task.stub.threads()).subspan(1)) CKPT_TRY(thread.WaitForStop());
  return success();
}

Result<> SetThreadStates(RestoredTask& task) {
  for (size_t i = 0; i < task.plan->threads.size(); ++i) {
    const ThreadPlan& plan = task.plan->threads[i];
    if (auto set = SetThreadState(task, plan, task.stub.threads()[i]); set.has_error()) {
      return OfThread(plan.tid, std::move(set).error());
    }
  }
  return success();
}

Result<> SetRegisters(RestoredTask& task) {
  for (size_t i = 0; i < task.plan->threads.size(); ++i) {
    const ThreadPlan& plan = task.plan->threads[i];
    if (auto set = SetThreadRegisters(plan, task.stub.threads()[i]); set.has_error()) {
      return OfThread(plan.tid, std::move(set).error());
    }
  }
  return success();
}

Result<> SetCriticalSections(RestoredTask& task) {
  for (const ThreadPlan& plan : task.plan->threads) {
    if (!plan.rseq || plan.rseq->critical_section == 0) continue;
    const uint64_t section = plan.rseq->critical_section;
    CKPT_TRY(task.memory->Write(RemotePtr(plan.rseq->abi_pointer + kRseqCsOffset),
                                std::as_bytes(std::span(&section, 1))));
  }
  return success();
}

}  // namespace ckpt
