#include "process/remote_syscalls.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

// process/batch_loop_x86_64.S
extern "C" const std::byte ckpt_batch_loop_start[];
extern "C" const std::byte ckpt_batch_loop_end[];

namespace ckpt {

namespace {

constexpr std::array kSyscallInstruction = {std::byte{0x0f}, std::byte{0x05}};
constexpr uint64_t kAllSignals = ~uint64_t{0};

// Executable memory is read in pieces of this size when looking for a `syscall` instruction.
constexpr size_t kSearchChunkBytes = 64 * 1024;

Bytes BatchLoop() { return {ckpt_batch_loop_start, ckpt_batch_loop_end}; }

uint64_t SyscallOffsetInLoop() {
  const auto found = std::ranges::search(BatchLoop(), kSyscallInstruction);
  CKPT_CHECK(!found.empty());
  return static_cast<uint64_t>(found.begin() - BatchLoop().begin());
}

constexpr uint64_t MaskOf(int signal) { return uint64_t{1} << (signal - 1); }

// Lends a stopped thread's registers and signal mask, and gives them back, also on failure.
class BorrowedThread {
 public:
  static Result<BorrowedThread> Borrow(Tracee& thread) {
    CKPT_TRY(const user_regs_struct registers, thread.GetRegisters());
    CKPT_TRY(const uint64_t mask, thread.GetSignalMask());
    return BorrowedThread(thread, registers, mask);
  }
  BorrowedThread(BorrowedThread&& other) noexcept
      : thread_(std::exchange(other.thread_, nullptr)),
        registers_(other.registers_),
        mask_(other.mask_) {}
  BorrowedThread& operator=(BorrowedThread&&) = delete;
  ~BorrowedThread() {
    if (thread_ != nullptr) static_cast<void>(GiveBack());
  }

  const user_regs_struct& registers() const { return registers_; }

  Result<> GiveBack() {
    Tracee& thread = *std::exchange(thread_, nullptr);
    CKPT_TRY(thread.SetRegisters(registers_));
    return thread.SetSignalMask(mask_);
  }

 private:
  BorrowedThread(Tracee& thread, const user_regs_struct& registers, uint64_t mask)
      : thread_(&thread), registers_(registers), mask_(mask) {}

  Tracee* thread_;
  user_regs_struct registers_;
  uint64_t mask_;
};

// Registers to run at `ip` with. Not in a system call (orig_rax): else the kernel would restart the
// one that the stop interrupted, on top of ours.
user_regs_struct RegistersAt(uint64_t ip, const user_regs_struct& from) {
  user_regs_struct registers = from;
  registers.rip = ip;
  registers.orig_rax = ~0ULL;
  registers.eflags &= ~0x500ULL;  // no single-step (TF), string operations upwards (DF)
  return registers;
}

// The task ran into a signal that cannot be blocked. SIGSTOP is put off: the task gets it again
// once it runs its own code; a fault is our bug or the task's memory gone.
Result<> PassOver(Tracee& thread, const Stop& stop) {
  if (stop.kind != Stop::Kind::kSignal) return success();
  if (stop.signal != SIGSTOP) {
    return MakeError(ErrorCode::kSystem,
                     "thread {}: stopped by {} while making remote system calls", thread.tid(),
                     strsignal(stop.signal));
  }
  thread.PutOffSigstop();
  return success();
}

Result<> WaitForSyscallStop(Tracee& thread) {
  while (true) {
    CKPT_TRY(thread.ResumeToSyscall());
    CKPT_TRY(const Stop stop, thread.WaitForStop());
    if (stop.kind == Stop::Kind::kSyscall) return success();
    CKPT_TRY(PassOver(thread, stop));
  }
}

// From a syscall-stop, before or after the call: brings the thread to a stop in which the kernel
// looks at the registers once more before user mode, so that an interrupted call which they
// describe is restarted.
Result<> MoveToEventStop(Tracee& thread) {
  CKPT_TRY(thread.Interrupt());
  while (true) {
    CKPT_TRY(thread.Resume());
    CKPT_TRY(const Stop stop, thread.WaitForStop());
    if (stop.kind == Stop::Kind::kEvent || stop.kind == Stop::Kind::kGroup) return success();
    CKPT_TRY(PassOver(thread, stop));
  }
}

// Lets the thread make the call that it is in front of, and stops it right after; its result.
// SIGTRAP must not be blocked: the kernel would take its handler away (force_sig_info_to_task in
// kernel/signal.c).
Result<int64_t> StepOver(Tracee& thread) {
  CKPT_TRY(const user_regs_struct before, thread.GetRegisters());
  while (true) {
    CKPT_TRY(thread.Step());
    CKPT_TRY(const Stop stop, thread.WaitForStop());
    const bool is_trap = stop.kind == Stop::Kind::kSignal && stop.signal == SIGTRAP;
    if (!is_trap) CKPT_TRY(PassOver(thread, stop));
    CKPT_TRY(const user_regs_struct after, thread.GetRegisters());
    // Else it is one that somebody has sent meanwhile.
    if (is_trap && after.rip != before.rip) return static_cast<int64_t>(after.rax);
  }
}

// How a call is left behind. A call that a signal can interrupt must not see the interrupt that
// stops the thread after it; others take it along, which saves a stop, or are stepped over, which
// saves two.
enum class CallKind { kAny, kUninterruptible, kStepped };

CallKind KindOfShortCalls(bool can_step) {
  return can_step ? CallKind::kStepped : CallKind::kUninterruptible;
}

// Lets the thread, right in front of a call, make it, up to a stop in which its registers can be
// set; its result.
Result<int64_t> MakeCall(Tracee& thread, CallKind kind) {
  if (kind == CallKind::kStepped) return StepOver(thread);
  CKPT_TRY(WaitForSyscallStop(thread));  // entry
  if (kind == CallKind::kUninterruptible) {
    CKPT_TRY(MoveToEventStop(thread));
    CKPT_TRY(const user_regs_struct after, thread.GetRegisters());
    return static_cast<int64_t>(after.rax);
  }
  CKPT_TRY(WaitForSyscallStop(thread));  // exit
  CKPT_TRY(const user_regs_struct after, thread.GetRegisters());
  CKPT_TRY(MoveToEventStop(thread));
  return static_cast<int64_t>(after.rax);
}

// One call by way of the `syscall` instruction at `instruction`. The instruction after it never
// runs.
Result<int64_t> CallAt(Tracee& thread, uint64_t instruction, CallKind kind, long number,
                       std::initializer_list<SyscallArgument> arguments) {
  CKPT_TRY(BorrowedThread borrowed, BorrowedThread::Borrow(thread));
  std::array<uint64_t, 6> values{};
  std::ranges::transform(arguments, values.begin(), &SyscallArgument::value);
  user_regs_struct registers = RegistersAt(instruction, borrowed.registers());
  registers.rax = static_cast<uint64_t>(number);
  registers.rdi = values[0];
  registers.rsi = values[1];
  registers.rdx = values[2];
  registers.r10 = values[3];
  registers.r8 = values[4];
  registers.r9 = values[5];
  const bool is_stepped = kind == CallKind::kStepped;
  CKPT_TRY(thread.SetSignalMask(is_stepped ? kAllSignals & ~MaskOf(SIGTRAP) : kAllSignals));
  CKPT_TRY(thread.SetRegisters(registers));
  CKPT_TRY(const int64_t result, MakeCall(thread, kind));
  CKPT_TRY(borrowed.GiveBack());
  return result;
}

// The result of a system call that must succeed.
Result<uint64_t> Succeeded(int64_t result, std::string_view call) {
  if (result < 0 && result >= -4095)
    return ErrnoError(static_cast<int>(-result), "remote {}", call);
  return static_cast<uint64_t>(result);
}

Result<uint64_t> FindSyscallInstruction(const RemoteMemory& memory,
                                        std::span<const RemoteRange> executable) {
  std::vector<std::byte> chunk;
  for (const RemoteRange& range : executable) {
    for (uint64_t at = range.start; at < range.end; at += kSearchChunkBytes) {
      chunk.resize(std::min<uint64_t>(kSearchChunkBytes, range.end - at));
      if (memory.Read(RemotePtr(at), chunk).has_error()) break;
      const auto found = std::ranges::search(chunk, kSyscallInstruction);
      if (!found.empty()) return at + static_cast<uint64_t>(found.begin() - chunk.begin());
    }
  }
  return MakeError(ErrorCode::kUnsupported,
                   "process {}: no syscall instruction in {} executable "
                   "mappings",
                   memory.pid(), executable.size());
}

// A signal that is not pending, so that the one which ends the batch is not merged with it.
Result<int> FreeSignal(const Tracee& thread) {
  uint64_t pending = 0;
  for (const auto queue : {Tracee::Queue::kThread, Tracee::Queue::kProcess}) {
    CKPT_TRY(const std::vector<siginfo_t> signals, thread.PeekSignals(queue));
    for (const siginfo_t& signal : signals) pending |= MaskOf(signal.si_signo);
  }
  for (const int signal : {SIGTRAP, SIGSTKFLT, SIGPWR, SIGXCPU, SIGSYS, SIGUSR2, SIGUSR1}) {
    if ((pending & MaskOf(signal)) == 0) return signal;
  }
  return MakeError(ErrorCode::kUnsupported, "thread {}: no signal is free to end a batch with",
                   thread.tid());
}

Result<> WaitForSignal(Tracee& thread, int signal) {
  while (true) {
    CKPT_TRY(const Stop stop, thread.WaitForStop());
    if (stop.kind == Stop::Kind::kSignal && stop.signal == signal) return success();
    CKPT_TRY(PassOver(thread, stop));
    CKPT_TRY(thread.Resume());
  }
}

}  // namespace

RemoteSyscalls::RemoteSyscalls(RemoteRange scratch, const Options& options,
                               const RemoteMemory& memory)
    : scratch_(scratch),
      batch_area_{scratch.start + kPageSize, scratch.end},
      max_calls_(options.max_calls),
      can_step_(options.can_step),
      memory_(&memory) {}

Result<RemoteSyscalls> RemoteSyscalls::Install(Tracee& thread, const RemoteMemory& memory,
                                               std::span<const RemoteRange> executable,
                                               Options options) {
  CKPT_CHECK(BatchLoop().size() <= kPageSize && options.batch_bytes % kPageSize == 0);
  CKPT_TRY(const uint64_t instruction, FindSyscallInstruction(memory, executable));
  const size_t size_bytes = kPageSize + options.batch_bytes;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | (options.address ? MAP_FIXED_NOREPLACE : 0);
  const CallKind kind = KindOfShortCalls(options.can_step);
  const auto map = [&](int protection) {
    return CallAt(thread, instruction, kind, SYS_mmap,
                  {options.address.value_or(0), size_bytes, protection, flags, -1, 0});
  };
  CKPT_TRY(int64_t mapped, map(PROT_READ | PROT_WRITE | PROT_EXEC));
  const bool is_refused = mapped == -EACCES || mapped == -EPERM;
  if (is_refused) {
    CKPT_TRY(mapped, map(PROT_READ | PROT_EXEC));
  }
  CKPT_TRY(const uint64_t start, Succeeded(mapped, fmt::format("mmap of {} bytes", size_bytes)));
  const RemoteSyscalls engine({start, start + size_bytes}, options, memory);
  const auto prepare = [&]() -> Result<> {
    CKPT_TRY(memory.Write(RemotePtr(start), BatchLoop()));
    return is_refused ? engine.MakeBatchAreaWritable(thread) : success();
  };
  if (auto prepared = prepare(); prepared.has_error()) {
    static_cast<void>(CallAt(thread, instruction, kind, SYS_munmap, {start, size_bytes}));
    return std::move(prepared).error();
  }
  return engine;
}

// Where security modules forbid memory that is writable and executable at once.
Result<> RemoteSyscalls::MakeBatchAreaWritable(Tracee& thread) const {
  CKPT_TRY(const int64_t result,
           Call(thread, SYS_mprotect,
                {batch_area_.start, batch_area_.size_bytes(), PROT_READ | PROT_WRITE}));
  CKPT_TRY(Succeeded(result, "mprotect"));
  return success();
}

Result<int64_t> RemoteSyscalls::Call(Tracee& thread, long number,
                                     std::initializer_list<SyscallArgument> arguments) const {
  return CallAt(thread, scratch_.start + SyscallOffsetInLoop(), CallKind::kAny, number, arguments);
}

Result<int64_t> RemoteSyscalls::CallOnce(Tracee& thread, const RemoteMemory& memory,
                                         std::span<const RemoteRange> executable, long number,
                                         std::initializer_list<SyscallArgument> arguments) {
  CKPT_TRY(const uint64_t instruction, FindSyscallInstruction(memory, executable));
  return CallAt(thread, instruction, CallKind::kAny, number, arguments);
}

// A thread that runs a batch.
class RemoteSyscalls::Running {
 public:
  static Result<Running> Start(const RemoteSyscalls& engine, Tracee& thread, SyscallBatch& batch) {
    CKPT_TRY(engine.memory_->Write(batch.start(), batch.image()));
    CKPT_TRY(BorrowedThread borrowed, BorrowedThread::Borrow(thread));
    CKPT_TRY(const int signal, FreeSignal(thread));
    user_regs_struct registers = RegistersAt(engine.scratch_.start, borrowed.registers());
    registers.rbx = batch.start().address();
    registers.r12 = batch.start().address() + batch.call_count() * sizeof(SyscallRecord);
    registers.rbp = static_cast<uint64_t>(signal);
    CKPT_TRY(thread.SetSignalMask(kAllSignals & ~MaskOf(signal)));
    CKPT_TRY(thread.SetRegisters(registers));
    CKPT_TRY(thread.Resume());
    return Running(std::move(borrowed), signal);
  }

  // The registers can only be given back to a thread that has stopped: whatever else failed, every
  // batch that was started must be waited for.
  Result<> Finish(const RemoteSyscalls& engine, Tracee& thread, SyscallBatch& batch) {
    CKPT_TRY(WaitForSignal(thread, signal_));
    CKPT_TRY(borrowed_.GiveBack());
    return engine.memory_->Read(batch.start(), batch.image());
  }

 private:
  Running(BorrowedThread borrowed, int signal) : borrowed_(std::move(borrowed)), signal_(signal) {}

  BorrowedThread borrowed_;
  int signal_;
};

std::vector<SyscallBatch> RemoteSyscalls::NewBatches(size_t wanted, size_t max_calls,
                                                     size_t batch_bytes) const {
  const size_t count = std::min(wanted, batch_area_.size_bytes() / batch_bytes);
  std::vector<SyscallBatch> batches;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t start = batch_area_.start + i * batch_bytes;
    batches.emplace_back(RemoteRange{start, start + batch_bytes}, max_calls);
  }
  return batches;
}

Result<> RemoteSyscalls::Run(Tracee& thread, SyscallBatch& batch) const {
  CKPT_TRY(Running running, Running::Start(*this, thread, batch));
  return running.Finish(*this, thread, batch);
}

Result<> RemoteSyscalls::RunSideBySide(std::span<RemoteBatch> batches) {
  std::vector<Running> running;
  running.reserve(batches.size());
  Result<> outcome = success();
  for (RemoteBatch& one : batches) {
    Result<Running> started = Running::Start(*one.engine, *one.thread, *one.batch);
    if (started.has_error()) {
      outcome = std::move(started).error();
      break;
    }
    running.push_back(std::move(started).value());
  }
  for (size_t i = 0; i < running.size(); ++i) {
    const RemoteBatch& one = batches[i];
    Result<> finished = running[i].Finish(*one.engine, *one.thread, *one.batch);
    if (finished.has_error() && outcome.has_value()) outcome = std::move(finished);
  }
  return outcome;
}

Result<> RemoteSyscalls::CheckAll(const SyscallBatch& batch, std::string_view what) {
  const size_t failed = batch.first_failure();
  if (failed == batch.call_count()) return success();
  const SyscallRecord record = batch.record(failed);
  return ErrnoError(static_cast<int>(-record.result), "{}: remote system call {}({})", what,
                    record.number, fmt::join(record.arguments, ", "));
}

Result<> RemoteSyscalls::RunAll(Tracee& thread, SyscallBatch& batch, std::string_view what,
                                const std::function<Result<>()>& meanwhile) const {
  CKPT_TRY(Running running, Running::Start(*this, thread, batch));
  const Result<> done = meanwhile();
  CKPT_TRY(running.Finish(*this, thread, batch));
  CKPT_TRY(CheckAll(batch, what));
  return done;
}

Result<> RemoteSyscalls::Uninstall(Tracee& thread) const {
  CKPT_TRY(const int64_t result,
           CallAt(thread, scratch_.start + SyscallOffsetInLoop(), KindOfShortCalls(can_step_),
                  SYS_munmap, {scratch_.start, scratch_.size_bytes()}));
  CKPT_TRY(Succeeded(result, "munmap"));
  return success();
}

}  // namespace ckpt
