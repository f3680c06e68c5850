// One thread under ptrace(2). Each call says in which state it wants and leaves the thread; that
// the thread dies at any moment is an ordinary result (ErrorCode::kProcessGone).
#ifndef PROCESS_TRACEE_H_
#define PROCESS_TRACEE_H_

#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

// Why a traced thread stopped.
struct Stop {
  enum class Kind {
    kSignal,   // signal-delivery-stop: `signal` will be delivered unless it is suppressed
    kEvent,    // PTRACE_EVENT_STOP after an interrupt, or of a new thread: `signal` is SIGTRAP
    kGroup,    // group-stop: `signal` is the stopping signal
    kSyscall,  // syscall-entry-stop or syscall-exit-stop
    kOther,    // another PTRACE_EVENT_*: `event`
  };
  Kind kind = Kind::kEvent;
  int signal = 0;
  int event = 0;
};

// Parses the status of waitpid(2) for a thread traced by PTRACE_SEIZE with PTRACE_O_TRACESYSGOOD.
// Nothing when the thread has exited or was killed.
std::optional<Stop> ParseStop(int wait_status);

// struct ptrace_rseq_configuration (linux/ptrace.h, Linux 5.13). A null pointer: none registered.
struct RseqConfiguration {
  uint64_t abi_pointer = 0;
  uint32_t abi_size_bytes = 0;
  uint32_t signature = 0;
  uint32_t flags = 0;
  uint32_t padding = 0;
};

// A thread that we trace. The destructor detaches it, in whatever state it is then.
class Tracee {
 public:
  // PTRACE_SEIZE: the thread goes on running. PTRACE_O_TRACESYSGOOD is added to `options`.
  static Result<Tracee> Seize(pid_t tid, unsigned long options);
  // A thread that is traced already, because it was made by a tracee with PTRACE_O_TRACECLONE.
  static Tracee Adopt(pid_t tid) { return Tracee(tid); }

  Tracee(Tracee&& other) noexcept
      : tid_(std::exchange(other.tid_, 0)),
        sigstop_put_off_(other.sigstop_put_off_),
        made_tasks_(std::move(other.made_tasks_)) {}
  Tracee& operator=(Tracee&&) = delete;
  ~Tracee();

  pid_t tid() const { return tid_; }

  // Asks a running thread to stop; WaitForStop() sees it.
  Result<> Interrupt();
  // Waits until the thread stops. kProcessGone when it ends instead.
  Result<Stop> WaitForStop();
  // The tasks whose making the thread has stopped to tell of (PTRACE_O_TRACECLONE, TRACEFORK,
  // TRACEVFORK), as this process numbers them, since the last call; oldest first. They are traced.
  std::vector<pid_t> TakeMadeTasks() { return std::exchange(made_tasks_, {}); }

  // From here on: the thread must be stopped.
  // PTRACE_O_* instead of those given before; tasks that it makes have them from birth.
  Result<> SetOptions(unsigned long options);
  Result<> Resume(int signal = 0);
  Result<> ResumeToSyscall();
  // Over one instruction, a system call included (PTRACE_SINGLESTEP).
  Result<> Step();
  // Leaves the thread to itself, and sends it the SIGSTOP that was put off.
  Result<> Detach();
  // A SIGSTOP, which cannot be blocked, came while the thread ran for us: it gets it at Detach().
  void PutOffSigstop() { sigstop_put_off_ = true; }

  Result<user_regs_struct> GetRegisters() const;
  Result<> SetRegisters(const user_regs_struct& registers) const;
  // The XSAVE area in its standard (not compacted) form, as NT_X86_XSTATE gives and takes it.
  Result<std::vector<std::byte>> GetXState() const;
  Result<> SetXState(Bytes xstate) const;

  // Bit n - 1 is signal n.
  Result<uint64_t> GetSignalMask() const;
  Result<> SetSignalMask(uint64_t mask) const;

  enum class Queue { kThread, kProcess };
  // The pending signals, oldest first, left in the queue.
  Result<std::vector<siginfo_t>> PeekSignals(Queue queue) const;

  // Nothing where the kernel has no PTRACE_GET_RSEQ_CONFIGURATION (before 5.13).
  Result<std::optional<RseqConfiguration>> GetRseqConfiguration() const;

 private:
  explicit Tracee(pid_t tid) : tid_(tid) {}

  pid_t tid_;  // 0 after Detach(), the thread's end or a move
  bool sigstop_put_off_ = false;
  std::vector<pid_t> made_tasks_;
};

}  // namespace ckpt

#endif  // PROCESS_TRACEE_H_
