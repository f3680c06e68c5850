// The process that a restore begins with: a copy of the restorer that has the dumped pid, does
// nothing, and ends with the restorer.
#ifndef RESTORER_STUB_PROCESS_H_
#define RESTORER_STUB_PROCESS_H_

#include <sys/types.h>

#include <utility>
#include <vector>

#include "base/result.h"
#include "process/tracee.h"

namespace ckpt {

class StubProcess {
 public:
  // A child with the number `pid`, which blocks all signals and has our descriptors, seized and
  // stopped. `thread_ids` are the numbers that its threads will have, the leader's too. kSystem
  // when one of them is in use; nothing has been made then.
  static Result<StubProcess> Create(pid_t pid, std::vector<pid_t> thread_ids);

  StubProcess(StubProcess&& other) noexcept
      : threads_(std::move(other.threads_)),
        pid_(std::exchange(other.pid_, 0)),
        thread_ids_(std::move(other.thread_ids_)) {}
  StubProcess& operator=(StubProcess&&) = delete;
  // Kills the process, with all its threads, and reaps it; not after Release().
  ~StubProcess();

  pid_t pid() const { return pid_; }
  // The leader first. Threads that were made are added to it.
  std::vector<Tracee>& threads() { return threads_; }
  Tracee& leader() { return threads_.front(); }

  // The threads run on by themselves, and the process outlives this object.
  Result<> Release();

 private:
  StubProcess(pid_t pid, std::vector<pid_t> thread_ids)
      : pid_(pid), thread_ids_(std::move(thread_ids)) {}
  Result<> SeizeAndStop();
  void KillAndReap();

  std::vector<Tracee> threads_;
  pid_t pid_;  // 0: nothing to kill
  std::vector<pid_t> thread_ids_;
};

}  // namespace ckpt

#endif  // RESTORER_STUB_PROCESS_H_
