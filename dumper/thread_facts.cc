#include "dumper/thread_facts.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ckpt {

namespace {

using enum SyscallBatch::OnError;

// The first version of struct sched_attr (linux/sched/types.h), which every kernel fills.
struct SchedulingAttributes {
  uint32_t size = 0;
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0;
  uint64_t deadline = 0;
  uint64_t period = 0;
};

Result<> ReadRobustList(ThreadFacts* facts) {
  robust_list_head* head = nullptr;
  size_t length_bytes = 0;
  if (syscall(SYS_get_robust_list, facts->tid, &head, &length_bytes) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "get_robust_list({})", facts->tid);
  }
  facts->robust_list = reinterpret_cast<uint64_t>(head);
  facts->robust_list_bytes = static_cast<uint32_t>(length_bytes);
  return success();
}

Result<> ReadScheduling(ThreadFacts* facts) {
  SchedulingAttributes attributes;
  if (syscall(SYS_sched_getattr, facts->tid, &attributes, sizeof(attributes), 0) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "sched_getattr({})", facts->tid);
  }
  facts->policy = attributes.policy;
  facts->realtime_priority = attributes.priority;
  errno = 0;  // -1 is a priority, too
  facts->nice = getpriority(PRIO_PROCESS, static_cast<id_t>(facts->tid));
  const int saved = errno;
  if (saved != 0) return ErrnoError(saved, "getpriority({})", facts->tid);
  return success();
}

// All but the status.
Result<> ReadThread(const Tracee& thread, ThreadFacts* facts) {
  facts->tid = thread.tid();
  CKPT_TRY(facts->registers, thread.GetRegisters());
  CKPT_TRY(facts->xstate, thread.GetXState());
  CKPT_TRY(facts->signal_mask, thread.GetSignalMask());
  CKPT_TRY(facts->pending, thread.PeekSignals(Tracee::Queue::kThread));
  CKPT_TRY(facts->rseq, thread.GetRseqConfiguration());
  CKPT_TRY(ReadRobustList(facts));
  return ReadScheduling(facts);
}

}  // namespace

OwnKnowledge::OwnKnowledge(SyscallBatch& batch)
    : stack_(batch.Reserve(sizeof(stack_t))),
      tid_address_(batch.Reserve(sizeof(uint64_t))),
      death_signal_(batch.Reserve(sizeof(uint32_t))) {
  batch.Add(kStop, SYS_sigaltstack, {0, stack_});
  // CONFIG_CHECKPOINT_RESTORE; without it the kernel cannot be restored on either.
  batch.Add(kStop, SYS_prctl, {PR_GET_TID_ADDRESS, tid_address_});
  batch.Add(kStop, SYS_prctl, {PR_GET_PDEATHSIG, death_signal_});
  securebits_ = batch.Add(kStop, SYS_prctl, {PR_GET_SECUREBITS});
}

void OwnKnowledge::Tell(const SyscallBatch& batch, ThreadFacts* facts) const {
  facts->alternate_stack = batch.OutputObject<stack_t>(stack_);
  facts->clear_tid_address = batch.OutputObject<uint64_t>(tid_address_);
  facts->parent_death_signal = batch.OutputObject<uint32_t>(death_signal_);
  facts->securebits = static_cast<uint32_t>(batch.result(securebits_));
}

Result<std::vector<ThreadFacts>> ReadThreads(std::span<const Tracee> threads,
                                             const std::vector<TaskStatus>& statuses) {
  CKPT_CHECK(threads.size() == statuses.size());
  std::vector<ThreadFacts> facts(threads.size());
  for (size_t i = 0; i < threads.size(); ++i) {
    facts[i].status = statuses[i];
    CKPT_TRY(ReadThread(threads[i], &facts[i]));
  }
  return facts;
}

// As many threads at once as have room in the scratch area.
Result<> AskThreads(std::span<Tracee> threads, const RemoteSyscalls& engine,
                    std::span<ThreadFacts> facts) {
  while (!threads.empty()) {
    std::vector<SyscallBatch> calls =
        engine.NewBatches(threads.size(), OwnKnowledge::kCalls, OwnKnowledge::kBytes);
    std::vector<OwnKnowledge> asked(calls.begin(), calls.end());
    std::vector<RemoteBatch> batches;
    for (size_t i = 0; i < calls.size(); ++i) batches.push_back({&engine, &threads[i], &calls[i]});
    CKPT_TRY(RemoteSyscalls::RunSideBySide(batches));
    for (size_t i = 0; i < calls.size(); ++i) {
      CKPT_TRY(RemoteSyscalls::CheckAll(calls[i], fmt::format("thread {}", facts[i].tid)));
      asked[i].Tell(calls[i], &facts[i]);
    }
    threads = threads.subspan(calls.size());
    facts = facts.subspan(calls.size());
  }
  return success();
}

}  // namespace ckpt
