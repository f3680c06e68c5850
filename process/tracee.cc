#include "process/tracee.h"

#include <elf.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace ckpt {

namespace {

// linux/ptrace.h, Linux 5.13; newer than Debian 12's <sys/ptrace.h>.
constexpr int kPtraceGetRseqConfiguration = 0x420f;

// An XSAVE area with every component of today's processors has 11 KiB (AMX tiles); the kernel says
// how much it wrote.
constexpr size_t kXStateLimitBytes = 16 * 1024;

// Some 50 us.
constexpr int kLooksBeforeSleep = 100;

template <typename Address, typename Data>
long Ptrace(int request, pid_t tid, Address address, Data data) {
  return ptrace(static_cast<__ptrace_request>(request), tid, address, data);
}

Error PtraceError(int error_number, std::string_view request, pid_t tid) {
  return ErrnoError(error_number, "ptrace({}, {})", request, tid);
}

template <typename Address, typename Data>
Result<> Call(int request, std::string_view name, pid_t tid, Address address, Data data) {
  if (Ptrace(request, tid, address, data) < 0) {
    const int saved = errno;
    return PtraceError(saved, name, tid);
  }
  return success();
}

void* AsPointer(unsigned long number) { return reinterpret_cast<void*>(number); }

Error Gone(pid_t tid) { return MakeError(ErrorCode::kProcessGone, "thread {} has ended", tid); }

bool IsStoppingSignal(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

bool TellsOfNewTask(const Stop& stop) {
  return stop.kind == Stop::Kind::kOther &&
         (stop.event == PTRACE_EVENT_CLONE || stop.event == PTRACE_EVENT_FORK ||
          stop.event == PTRACE_EVENT_VFORK);
}

}  // namespace

std::optional<Stop> ParseStop(int wait_status) {
  if (!WIFSTOPPED(wait_status)) return std::nullopt;
  const int signal = WSTOPSIG(wait_status);
  const int event = wait_status >> 16;
  if (event == PTRACE_EVENT_STOP) {
    const auto kind = IsStoppingSignal(signal) ? Stop::Kind::kGroup : Stop::Kind::kEvent;
    return Stop{.kind = kind, .signal = signal, .event = event};
  }
  if (event != 0) return Stop{.kind = Stop::Kind::kOther, .signal = signal, .event = event};
  if (signal == (SIGTRAP | 0x80)) return Stop{.kind = Stop::Kind::kSyscall, .signal = SIGTRAP};
  return Stop{.kind = Stop::Kind::kSignal, .signal = signal};
}

Result<Tracee> Tracee::Seize(pid_t tid, unsigned long options) {
  CKPT_TRY(
      Call(PTRACE_SEIZE, "PTRACE_SEIZE", tid, nullptr, AsPointer(options | PTRACE_O_TRACESYSGOOD)));
  return Tracee(tid);
}

Tracee::~Tracee() {
  if (tid_ != 0) static_cast<void>(Detach());
}

Result<> Tracee::SetOptions(unsigned long options) {
  return Call(PTRACE_SETOPTIONS, "PTRACE_SETOPTIONS", tid_, nullptr,
              AsPointer(options | PTRACE_O_TRACESYSGOOD));
}

Result<> Tracee::Interrupt() {
  return Call(PTRACE_INTERRUPT, "PTRACE_INTERRUPT", tid_, nullptr, nullptr);
}

Result<Stop> Tracee::WaitForStop() {
  int status = 0;
  pid_t waited = 0;
  int saved = 0;
  // A stop mostly comes within microseconds: looking for it costs less than going to sleep and
  // being woken, above all on a virtual machine.
  for (int look = 0; look < kLooksBeforeSleep && waited == 0; ++look) {
    waited = waitpid(tid_, &status, __WALL | WNOHANG);
    saved = errno;
  }
  while (waited == 0 || (waited < 0 && saved == EINTR)) {
    waited = waitpid(tid_, &status, __WALL);
    saved = errno;
  }
  if (waited < 0) return ErrnoError(saved == ECHILD ? ESRCH : saved, "waitpid({})", tid_);
  const std::optional<Stop> stop = ParseStop(status);
  if (!stop) return Gone(std::exchange(tid_, 0));
  if (TellsOfNewTask(*stop)) {
    unsigned long made = 0;
    CKPT_TRY(Call(PTRACE_GETEVENTMSG, "PTRACE_GETEVENTMSG", tid_, nullptr, &made));
    made_tasks_.push_back(static_cast<pid_t>(made));
  }
  return *stop;
}

Result<> Tracee::Resume(int signal) {
  return Call(PTRACE_CONT, "PTRACE_CONT", tid_, nullptr,
              AsPointer(static_cast<unsigned long>(signal)));
}

Result<> Tracee::ResumeToSyscall() {
  return Call(PTRACE_SYSCALL, "PTRACE_SYSCALL", tid_, nullptr, nullptr);
}

Result<> Tracee::Step() {
  return Call(PTRACE_SINGLESTEP, "PTRACE_SINGLESTEP", tid_, nullptr, nullptr);
}

Result<> Tracee::Detach() {
  const pid_t tid = std::exchange(tid_, 0);
  CKPT_TRY(Call(PTRACE_DETACH, "PTRACE_DETACH", tid, nullptr, nullptr));
  if (sigstop_put_off_) syscall(SYS_tkill, tid, SIGSTOP);
  return success();
}

Result<user_regs_struct> Tracee::GetRegisters() const {
  user_regs_struct registers{};
  iovec area{&registers, sizeof(registers)};
  CKPT_TRY(Call(PTRACE_GETREGSET, "PTRACE_GETREGSET, NT_PRSTATUS", tid_, NT_PRSTATUS, &area));
  if (area.iov_len != sizeof(registers)) {
    return MakeError(ErrorCode::kUnsupported,
                     "thread {}: {} bytes of registers, expected {}: not a 64-bit thread", tid_,
                     area.iov_len, sizeof(registers));
  }
  return registers;
}

Result<> Tracee::SetRegisters(const user_regs_struct& registers) const {
  user_regs_struct copy = registers;
  iovec area{&copy, sizeof(copy)};
  return Call(PTRACE_SETREGSET, "PTRACE_SETREGSET, NT_PRSTATUS", tid_, NT_PRSTATUS, &area);
}

Result<std::vector<std::byte>> Tracee::GetXState() const {
  std::vector<std::byte> xstate(kXStateLimitBytes);
  iovec area{xstate.data(), xstate.size()};
  CKPT_TRY(Call(PTRACE_GETREGSET, "PTRACE_GETREGSET, NT_X86_XSTATE", tid_, NT_X86_XSTATE, &area));
  xstate.resize(area.iov_len);
  return xstate;
}

Result<> Tracee::SetXState(Bytes xstate) const {
  iovec area{const_cast<std::byte*>(xstate.data()), xstate.size()};
  return Call(PTRACE_SETREGSET, "PTRACE_SETREGSET, NT_X86_XSTATE", tid_, NT_X86_XSTATE, &area);
}

Result<uint64_t> Tracee::GetSignalMask() const {
  uint64_t mask = 0;
  CKPT_TRY(Call(PTRACE_GETSIGMASK, "PTRACE_GETSIGMASK", tid_, sizeof(mask), &mask));
  return mask;
}

Result<> Tracee::SetSignalMask(uint64_t mask) const {
  return Call(PTRACE_SETSIGMASK, "PTRACE_SETSIGMASK", tid_, sizeof(mask), &mask);
}

Result<std::vector<siginfo_t>> Tracee::PeekSignals(Queue queue) const {
  std::vector<siginfo_t> pending;
  std::array<siginfo_t, 32> chunk;
  while (true) {
    __ptrace_peeksiginfo_args args{};
    args.off = pending.size();
    args.flags = queue == Queue::kProcess ? PTRACE_PEEKSIGINFO_SHARED : 0;
    args.nr = chunk.size();
    const long got = Ptrace(PTRACE_PEEKSIGINFO, tid_, &args, chunk.data());
    const int saved = errno;
    if (got < 0) return PtraceError(saved, "PTRACE_PEEKSIGINFO", tid_);
    pending.insert(pending.end(), chunk.begin(), chunk.begin() + got);
    if (static_cast<size_t>(got) < chunk.size()) return pending;
  }
}

Result<std::optional<RseqConfiguration>> Tracee::GetRseqConfiguration() const {
  RseqConfiguration configuration;
  const long got = Ptrace(kPtraceGetRseqConfiguration, tid_, sizeof(configuration), &configuration);
  const int saved = errno;
  if (got >= 0) return configuration;
  if (saved == EIO || saved == EINVAL) return std::nullopt;
  return PtraceError(saved, "PTRACE_GET_RSEQ_CONFIGURATION", tid_);
}

}  // namespace ckpt
