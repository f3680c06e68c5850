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

// The threads of a process in which `engine` is installed, and their statuses since the freeze.
Result<std::vector<ThreadFacts>> CollectThreads(std::span<Tracee> threads,
                                                const std::vector<TaskStatus>& statuses,
                                                const RemoteSyscalls& engine);

}  // namespace ckpt

#endif  // DUMPER_THREAD_FACTS_H_
