// What each thread of a frozen process has for itself, as the kernel gives it. Only the asking is
// done under the freeze; dumper/thread_state.h makes image entries of it later.
#ifndef DUMPER_THREAD_FACTS_H_
#define DUMPER_THREAD_FACTS_H_

#include <sys/types.h>
#include <sys/user.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "process/remote_syscalls.h"
#include "process/task_status.h"
#include "process/tracee.h"

namespace ckpt {

struct ThreadFacts {
  pid_t tid = 0;
  user_regs_struct registers{};   // as the thread was stopped
  std::vector<std::byte> xstate;  // as NT_X86_XSTATE gives it
  uint64_t signal_mask = 0;
  std::vector<siginfo_t> pending;
  TaskStatus status;
  std::optional<RseqConfiguration> rseq;
  uint64_t robust_list = 0;
  uint32_t robust_list_bytes = 0;

  // sched_getattr(2), getpriority(2)
  uint32_t policy = 0;
  uint32_t realtime_priority = 0;
  int nice = 0;

  // What only the thread itself can tell.
  stack_t alternate_stack{};
  uint64_t clear_tid_address = 0;
  uint32_t parent_death_signal = 0;
  uint32_t securebits = 0;
};

// The calls by which a thread tells what only it knows, and where the answers come.
class OwnKnowledge {
 public:
  static constexpr size_t kCalls = 4;
  static constexpr size_t kBytes = 512;  // of a batch with them and what they return

  // Adds the calls to what the thread is to make.
  explicit OwnKnowledge(SyscallBatch& batch);
  // After the batch, all of whose calls have succeeded.
  void Tell(const SyscallBatch& batch, ThreadFacts* facts) const;

 private:
  RemotePtr stack_;
  RemotePtr tid_address_;
  RemotePtr death_signal_;
  size_t securebits_;
};

// All of the frozen threads of a process but what only they know, with their statuses since the
// freeze.
Result<std::vector<ThreadFacts>> ReadThreads(std::span<const Tracee> threads,
                                             const std::vector<TaskStatus>& statuses);

// Adds what only they know. `engine` is installed in their process.
Result<> AskThreads(std::span<Tracee> threads, const RemoteSyscalls& engine,
                    std::span<ThreadFacts> facts);

}  // namespace ckpt

#endif  // DUMPER_THREAD_FACTS_H_
