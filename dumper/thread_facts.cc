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

constexpr size_t kOwnCalls = 4;
constexpr size_t kOwnBytes = 512;  // of a batch with them and what they return

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

// The calls by which a thread tells what only it knows, and where the answers come.
class OwnKnowledge {
 public:
  explicit OwnKnowledge(SyscallBatch batch)
      : batch_(std::move(batch)),
        stack_(batch_.Reserve(sizeof(stack_t))),
        tid_address_(batch_.Reserve(sizeof(uint64_t))),
        death_signal_(batch_.Reserve(sizeof(uint32_t))) {
    batch_.Add(kStop, SYS_sigaltstack, {0, stack_});
    // CONFIG_CHECKPOINT_RESTORE; without it the kernel cannot be restored on either.
    batch_.Add(kStop, SYS_prctl, {PR_GET_TID_ADDRESS, tid_address_});
    batch_.Add(kStop, SYS_prctl, {PR_GET_PDEATHSIG, death_signal_});
    securebits_ = batch_.Add(kStop, SYS_prctl, {PR_GET_SECUREBITS});
  }

  SyscallBatch& batch() { return batch_; }

  Result<> Tell(ThreadFacts* facts) const {
    CKPT_TRY(RemoteSyscalls::CheckAll(batch_, fmt::format("thread {}", facts->tid)));
    facts->alternate_stack = batch_.OutputObject<stack_t>(stack_);
    facts->clear_tid_address = batch_.OutputObject<uint64_t>(tid_address_);
    facts->parent_death_signal = batch_.OutputObject<uint32_t>(death_signal_);
    facts->securebits = static_cast<uint32_t>(batch_.result(securebits_));
    return success();
  }

 private:
  SyscallBatch batch_;
  RemotePtr stack_;
  RemotePtr tid_address_;
  RemotePtr death_signal_;
  size_t securebits_ = 0;
};

// As many threads at once as have room in the scratch area.
Result<> AskThreads(std::span<Tracee> threads, const RemoteSyscalls& engine,
                    std::span<ThreadFacts> facts) {
  while (!threads.empty()) {
    std::vector<OwnKnowledge> asked;
    for (SyscallBatch& batch : engine.NewBatches(threads.size(), kOwnCalls, kOwnBytes)) {
      asked.emplace_back(std::move(batch));
    }
    std::vector<RemoteBatch> batches;
    for (size_t i = 0; i < asked.size(); ++i) {
      batches.push_back({&engine, &threads[i], &asked[i].batch()});
    }
    CKPT_TRY(RemoteSyscalls::RunSideBySide(batches));
    for (size_t i = 0; i < asked.size(); ++i) CKPT_TRY(asked[i].Tell(&facts[i]));
    threads = threads.subspan(asked.size());
    facts = facts.subspan(asked.size());
  }
  return success();
}

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

Result<std::vector<ThreadFacts>> CollectThreads(std::span<Tracee> threads,
                                                const std::vector<TaskStatus>& statuses,
                                                const RemoteSyscalls& engine) {
  CKPT_CHECK(threads.size() == statuses.size());
  std::vector<ThreadFacts> facts(threads.size());
  for (size_t i = 0; i < threads.size(); ++i) {
    facts[i].status = statuses[i];
    CKPT_TRY(ReadThread(threads[i], &facts[i]));
  }
  CKPT_TRY(AskThreads(threads, engine, facts));
  return facts;
}

}  // namespace ckpt
