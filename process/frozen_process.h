// All threads of a process, stopped under ptrace, and let go again.
#ifndef PROCESS_FROZEN_PROCESS_H_
#define PROCESS_FROZEN_PROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <vector>

#include "base/result.h"
#include "process/tracee.h"

namespace ckpt {

// The destructor thaws, so that a process runs on as it was whatever its freezer fails at.
class FrozenProcess {
 public:
  // Seizes and stops the threads until a listing shows no new one. kNotFound: no such process;
  // kProcessGone: it, or its leader, has ended meanwhile; kPermission: it cannot be traced (another
  // tracer, a kernel thread, no privilege); kUnsupported: a thread does not stop (vfork(2)).
  static Result<FrozenProcess> Freeze(pid_t pid);

  // One thread alone, for what any can do, one that can be stopped if there is one; the others run
  // on, and can start more.
  static Result<FrozenProcess> FreezeOneThread(pid_t pid);

  // Freeze() in two, so that many processes stop side by side: Seize() asks the threads that there
  // are to stop, Settle() waits for them, and freezes those that were started meanwhile.
  static Result<FrozenProcess> Seize(pid_t pid);
  Result<> Settle();

  FrozenProcess(FrozenProcess&& other) noexcept;
  FrozenProcess& operator=(FrozenProcess&&) = delete;
  ~FrozenProcess();  // each Tracee detaches

  pid_t pid() const { return pid_; }
  // The leader, whose tid is pid(), first; then by tid.
  std::vector<Tracee>& threads() { return threads_; }
  const std::vector<Tracee>& threads() const { return threads_; }
  Tracee& leader() { return threads_.front(); }

  // The signal by which the process was stopped (job control) before it was frozen, or 0.
  int stop_signal() const { return stop_signal_; }

  // Lets the threads run on; a process that was stopped stays so.
  Result<> Thaw();
  // Ends the process by SIGKILL and waits until it is gone (a zombie, where it has a parent).
  Result<> Kill();
  // The second half of it, once the process was killed.
  void AwaitEnd();

 private:
  explicit FrozenProcess(pid_t pid) : pid_(pid) {}
  Result<bool> SeizeNewThreads();
  Result<bool> SeizeThread(pid_t tid);
  Result<> AwaitStops();
  void PutLeaderFirst();

  pid_t pid_;
  std::vector<Tracee> threads_;
  size_t stopped_count_ = 0;  // of threads_, from the front; the others were asked to stop
  int stop_signal_ = 0;
};

}  // namespace ckpt

#endif  // PROCESS_FROZEN_PROCESS_H_
