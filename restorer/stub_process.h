// The processes that a restore begins with: copies of the restorer, or of the dumped process that
// they are children of, that have the dumped pids, do nothing, and end with the restorer.
#ifndef RESTORER_STUB_PROCESS_H_
#define RESTORER_STUB_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "process/tracee.h"

namespace ckpt {

struct StubOptions {
  pid_t pid = 0;            // in the pid namespace that it will be in
  uint64_t namespaces = 0;  // CLONE_NEW* of those that it gets of its own
  // Run in the child, in its namespaces, before it is seized: it shares our descriptors, and has a
  // copy of our memory. The error is that of Create().
  std::function<Result<>()> prepare = {};
};

class StubProcess {
 public:
  // A child that blocks all signals and shares our descriptors (CLONE_FILES), seized and stopped.
  // After an error it is gone. `pid` in use is kSystem.
  static Result<StubProcess> Create(const StubOptions& options);

  // What a traced task of ours has made by fork, `made` being what its Tracee told of: it is traced
  // already, and stopped when this returns.
  static Result<StubProcess> Adopt(pid_t made);

  StubProcess(StubProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), threads_(std::move(other.threads_)) {}
  StubProcess& operator=(StubProcess&&) = delete;
  // Kills the process, with all its threads, and reaps it; not after Release(). Of a tree, those
  // without children are to go first, and Kill() to be called for all before.
  ~StubProcess();

  // As we see it, whatever its number in its own pid namespace is.
  pid_t pid() const { return pid_; }
  // The leader first. Threads that were made are added to it.
  std::vector<Tracee>& threads() { return threads_; }
  Tracee& leader() { return threads_.front(); }

  // Sends SIGKILL; nothing after Release().
  void Kill() const;

  // Waits, as the tracer, for the end of a process that was killed or let run into it. It is a
  // zombie of its parent then, and this object has nothing left to kill.
  void AwaitEnd();

  // The threads run on by themselves, and the process outlives this object.
  Result<> Release();

 private:
  explicit StubProcess(pid_t pid) : pid_(pid) {}
  Result<> SeizeAndStop();
  pid_t pid_;  // 0: nothing to kill
  std::vector<Tracee> threads_;
};

}  // namespace ckpt

#endif  // RESTORER_STUB_PROCESS_H_
