// System calls made by another task, without a parasite: a scratch area of a few pages is mapped
// into it by one remote mmap, holds a loop of two dozen instructions and a batch of calls, and is
// unmapped again. Registers, signal mask and pending signals of the threads are as before, whatever
// fails.
#ifndef PROCESS_REMOTE_SYSCALLS_H_
#define PROCESS_REMOTE_SYSCALLS_H_

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "process/remote_memory.h"
#include "process/remote_ptr.h"
#include "process/syscall_batch.h"
#include "process/tracee.h"

namespace ckpt {

class RemoteSyscalls;

// What one thread is to run.
struct RemoteBatch {
  const RemoteSyscalls* engine = nullptr;  // installed in the task of `thread`
  Tracee* thread = nullptr;                // stopped
  SyscallBatch* batch = nullptr;
};

class RemoteSyscalls {
 public:
  struct Options {
    // Where to map the scratch area (MAP_FIXED_NOREPLACE), or anywhere.
    std::optional<uint64_t> address;
    // Single calls stop once instead of twice, by a single step, which ends with a SIGTRAP: only
    // where the task neither ignores that nor has one pending.
    bool can_step = false;
    // Of the scratch area, without the page of the loop.
    size_t batch_bytes = size_t{64} * 1024;
    size_t max_calls = 256;
  };

  // Maps the scratch area by way of `thread`, which is stopped and is so again afterwards.
  // `executable` are ranges of the task's executable memory, the vdso first: one of them must hold
  // a `syscall` instruction to begin with.
  static Result<RemoteSyscalls> Install(Tracee& thread, const RemoteMemory& memory,
                                        std::span<const RemoteRange> executable, Options options);

  // An empty batch for Run().
  SyscallBatch NewBatch() const { return NewBatch(max_calls_); }
  SyscallBatch NewBatch(size_t max_calls) const { return SyscallBatch(batch_area_, max_calls); }
  // As many empty batches of `max_calls` with `batch_bytes` of memory each as fit side by side, but
  // no more than `wanted`.
  std::vector<SyscallBatch> NewBatches(size_t wanted, size_t max_calls, size_t batch_bytes) const;

  // Has `thread`, any stopped thread of the task, make the calls. Calls may fail: see
  // SyscallBatch::result(). An error means that the batch could not be run at all.
  Result<> Run(Tracee& thread, SyscallBatch& batch) const;

  // The same by several threads at once, of one task or of several: each has a batch of its own,
  // whose memory no other batch of its task touches (NewBatches()). After an error all of them
  // have stopped again.
  static Result<> RunSideBySide(std::span<RemoteBatch> batches);

  // An error that names the first call that failed as `what`, if one did.
  static Result<> CheckAll(const SyscallBatch& batch, std::string_view what);

  // Run() and CheckAll(). `meanwhile` is done while the thread runs, and leaves it alone; its error
  // is told where all calls went well.
  Result<> RunAll(Tracee& thread, SyscallBatch& batch, std::string_view what,
                  const std::function<Result<>()>& meanwhile) const;
  Result<> RunAll(Tracee& thread, SyscallBatch& batch, std::string_view what) const {
    return RunAll(thread, batch, what, []() -> Result<> { return success(); });
  }

  // One call, without the loop: what it returned, -errno for errors.
  Result<int64_t> Call(Tracee& thread, long number,
                       std::initializer_list<SyscallArgument> arguments) const;

  // One call of a stopped thread where no engine is installed; otherwise as above. `executable` as
  // for Install().
  static Result<int64_t> CallOnce(Tracee& thread, const RemoteMemory& memory,
                                  std::span<const RemoteRange> executable, long number,
                                  std::initializer_list<SyscallArgument> arguments);

  // The engine of a process that was made by fork of this one's task, and has inherited its scratch
  // area; `memory` is that process's.
  RemoteSyscalls InCopyOfTask(const RemoteMemory& memory) const {
    RemoteSyscalls copy = *this;
    copy.memory_ = &memory;
    return copy;
  }

  // The whole scratch area.
  RemoteRange scratch() const { return scratch_; }

  // Unmaps the scratch area. Nothing may be run afterwards.
  Result<> Uninstall(Tracee& thread) const;

 private:
  class Running;

  Result<> MakeBatchAreaWritable(Tracee& thread) const;
  RemoteSyscalls(RemoteRange scratch, const Options& options, const RemoteMemory& memory);

  RemoteRange scratch_;
  RemoteRange batch_area_;
  size_t max_calls_;
  bool can_step_;
  const RemoteMemory* memory_;
};

}  // namespace ckpt

#endif  // PROCESS_REMOTE_SYSCALLS_H_
