// All threads of a process, stopped under ptrace, and let go again.
#ifndef PROCESS_FROZEN_PROCESS_H_
#define PROCESS_FROZEN_PROCESS_H_

#include <sys/types.h>

#include <vector>

#include "base/result.h"
#include "process/tracee.h"

namespace ckpt {

// The destructor thaws, so that a process runs on as it was whatever its freezer fails at.
class FrozenProcess {
 public:
  // Seizes and stops the threads until a listing shows no new one. kNotFound: no such process;
  // kPermission: it cannot be traced (another tracer, a kernel thread, no privilege).
  static Result<FrozenProcess> Freeze(pid_t pid);

  FrozenProcess(FrozenProcess&&) = default;
  FrozenProcess& operator=(FrozenProcess&&) = delete;
  ~FrozenProcess() = default;  // each Tracee detaches

  pid_t pid() const { return pid_; }
  // The leader, whose tid is pid(), first; then by tid.
  std::vector<Tracee>& threads() { return threads_; }
  Tracee& leader() { return threads_.front(); }

  // The signal by which the process was stopped (job control) before it was frozen, or 0.
  int stop_signal() const { return stop_signal_; }

  // Lets the threads run on; a process that was stopped stays so.
  Result<> Thaw();
  // Ends the process by SIGKILL and waits until it is gone (a zombie, where it has a parent).
  Result<> Kill();

 private:
  explicit FrozenProcess(pid_t pid) : pid_(pid) {}
  Result<bool> SeizeNewThreads();

  pid_t pid_;
  std::vector<Tracee> threads_;
  int stop_signal_ = 0;
};

}  // namespace ckpt

#endif  // PROCESS_FROZEN_PROCESS_H_
