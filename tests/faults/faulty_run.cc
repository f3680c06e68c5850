#include "tests/faults/faulty_run.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace ckpt {

#ifdef __x86_64__

namespace {

struct DiskCall {
  unsigned long long number;
  const char* name;
};

constexpr DiskCall kDiskCalls[] = {
    {SYS_mkdir, "mkdir"},         {SYS_mkdirat, "mkdirat"},
    {SYS_link, "link"},           {SYS_linkat, "linkat"},
    {SYS_symlink, "symlink"},     {SYS_symlinkat, "symlinkat"},
    {SYS_rename, "rename"},       {SYS_renameat, "renameat"},
    {SYS_renameat2, "renameat2"}, {SYS_unlink, "unlink"},
    {SYS_unlinkat, "unlinkat"},   {SYS_rmdir, "rmdir"},
    {SYS_truncate, "truncate"},   {SYS_ftruncate, "ftruncate"},
    {SYS_fallocate, "fallocate"}, {SYS_fchown, "fchown"},
    {SYS_fchownat, "fchownat"},   {SYS_fchmod, "fchmod"},
    {SYS_fchmodat, "fchmodat"},   {SYS_utimensat, "utimensat"},
    {SYS_fsetxattr, "fsetxattr"}, {SYS_copy_file_range, "copy_file_range"},
    {SYS_fsync, "fsync"},         {SYS_fdatasync, "fdatasync"},
    {SYS_ioctl, "ioctl"},
};

const char* OpenName(const user_regs_struct& registers) {
  const bool is_openat = registers.orig_rax == SYS_openat;
  if (!is_openat && registers.orig_rax != SYS_open) return nullptr;
  const unsigned long long flags = is_openat ? registers.rdx : registers.rsi;
  return (flags & (O_CREAT | O_TRUNC)) != 0 ? "open" : nullptr;
}

const char* WriteName(const user_regs_struct& registers) {
  const bool writes = registers.orig_rax == SYS_write || registers.orig_rax == SYS_pwrite64 ||
                      registers.orig_rax == SYS_writev;
  return writes && registers.rdi > STDERR_FILENO ? "write" : nullptr;
}

// Null for a call that does not change the disk.
const char* DiskCallName(const user_regs_struct& registers) {
  if (const char* name = OpenName(registers)) return name;
  if (const char* name = WriteName(registers)) return name;
  const auto* call = std::ranges::find(kDiskCalls, registers.orig_rax, &DiskCall::number);
  return call == std::end(kDiskCalls) ? nullptr : call->name;
}

[[noreturn]] void Start(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const int null = open("/dev/null", O_RDWR);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // LeakSanitizer does not work where it is traced
  ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  raise(SIGSTOP);
  execv(argv[0], argv.data());
  _exit(127);
}

class Tracer {
 public:
  Tracer(pid_t pid, std::optional<Fault> fault) : pid_(pid), fault_(fault) {}

  Result<FaultyRun> Run() {
    waitpid(pid_, nullptr, 0);
    ptrace(PTRACE_SETOPTIONS, pid_, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    int signal_to_pass = 0;
    while (true) {
      ptrace(PTRACE_SYSCALL, pid_, nullptr, signal_to_pass);
      int status = 0;
      if (waitpid(pid_, &status, 0) < 0) {
        const int saved = errno;
        return ErrnoError(saved, "waitpid({})", pid_);
      }
      if (!WIFSTOPPED(status)) return Ended(status);
      signal_to_pass = WSTOPSIG(status);
      if (signal_to_pass == SIGTRAP) signal_to_pass = 0;  // of execve
      if (signal_to_pass != (SIGTRAP | 0x80)) continue;
      signal_to_pass = 0;
      is_inside_ = !is_inside_;
      is_inside_ ? Enter() : Leave();
    }
  }

 private:
  Result<FaultyRun> Ended(int status) {
    run_.was_killed = WIFSIGNALED(status);
    run_.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    return run_;
  }

  void Enter() {
    user_regs_struct registers{};
    ptrace(PTRACE_GETREGS, pid_, nullptr, &registers);
    const char* name = DiskCallName(registers);
    if (name == nullptr) return;
    const bool is_faulty = fault_ && fault_->call == run_.disk_calls;
    ++run_.disk_calls;
    if (!is_faulty) return;
    run_.faulty_call = name;
    if (fault_->error_number == 0) {
      kill(pid_, SIGKILL);
      return;
    }
    // No call has this number: the kernel passes over it.
    registers.orig_rax = ~0ULL;
    ptrace(PTRACE_SETREGS, pid_, nullptr, &registers);
    is_failing_ = true;
  }

  void Leave() {
    if (!is_failing_) return;
    is_failing_ = false;
    user_regs_struct registers{};
    ptrace(PTRACE_GETREGS, pid_, nullptr, &registers);
    registers.rax = static_cast<unsigned long long>(-static_cast<long long>(fault_->error_number));
    ptrace(PTRACE_SETREGS, pid_, nullptr, &registers);
  }

  pid_t pid_;
  std::optional<Fault> fault_;
  FaultyRun run_;
  bool is_inside_ = false;
  bool is_failing_ = false;
};

}  // namespace

Result<FaultyRun> RunWithFault(const std::vector<std::string>& arguments,
                               std::optional<Fault> fault) {
  const pid_t pid = fork();
  const int saved = errno;
  if (pid < 0) return ErrnoError(saved, "fork()");
  if (pid == 0) Start(arguments);
  return Tracer(pid, fault).Run();
}

#else

Result<FaultyRun> RunWithFault(const std::vector<std::string>&, std::optional<Fault>) {
  return MakeError(ErrorCode::kUnsupported, "system calls are made to fail on x86-64 only");
}

#endif

}  // namespace ckpt
