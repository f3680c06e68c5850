// The memory of a process as of one moment, while the process runs on: a child that fork makes of
// it. The two share their pages until one of them writes (copy on write), and the child never does:
// it stays stopped from birth to end.
#ifndef PROCESS_MEMORY_SNAPSHOT_H_
#define PROCESS_MEMORY_SNAPSHOT_H_

#include <sys/types.h>

#include <chrono>
#include <memory>

#include "base/file.h"
#include "base/result.h"
#include "process/remote_memory.h"
#include "process/remote_syscalls.h"
#include "process/tracee.h"

namespace ckpt {

// To be used by the thread that traces the process, and gone before that thread is. If this program
// is killed, the child goes with it.
class MemorySnapshot {
 public:
  // `leader` is the first thread of a frozen process in which `engine` is installed. Mappings that
  // fork leaves out (MADV_DONTFORK), or makes anew (MADV_WIPEONFORK), are not in the snapshot.
  // kSystem where the process may not have another child (EAGAIN) or too little memory is free,
  // kUnsupported where its children are born into other namespaces than its own.
  static Result<MemorySnapshot> Take(Tracee& leader, const RemoteSyscalls& engine);

  MemorySnapshot(MemorySnapshot&& other) noexcept;
  MemorySnapshot& operator=(MemorySnapshot&&) = delete;
  ~MemorySnapshot();  // End(), where that was not called

  // Of this program's PID namespace; 0 once the child is known to have been killed.
  pid_t pid() const { return child_->tid(); }
  Result<> OpenMemory();
  const RemoteMemory& memory() const { return *memory_; }

  // To be called before the process runs again: takes its descriptors from the child, which has
  // them in common with the process so far, so that execve(2) would part the process from its POSIX
  // locks, and makes the child the one to be killed where memory runs out. From then on nothing
  // that the process closes or locks can tell that there is a child.
  Result<> Settle();

  // Ends the child. One thread of the process, which must run, is stopped for a moment to take
  // notice of that (wait4): for how long. An error means that a zombie stays until the process
  // ends: no thread stops within two seconds, or the process has seccomp filters by now. One that
  // has called execve(2) meanwhile gets a SIGCHLD.
  Result<std::chrono::microseconds> End();

 private:
  MemorySnapshot(pid_t origin, UniqueFd origin_pidfd, pid_t child, const RemoteSyscalls& engine);
  Result<std::chrono::microseconds> ReapByOrigin() const;

  pid_t origin_;
  UniqueFd origin_pidfd_;
  std::unique_ptr<Tracee> child_;  // none after End()
  pid_t number_in_origin_ = 0;     // of the child, in the PID namespace of its parent
  std::unique_ptr<RemoteMemory> memory_;
  RemoteSyscalls engine_;  // of the process; its scratch area is in the child, too
};

}  // namespace ckpt

#endif  // PROCESS_MEMORY_SNAPSHOT_H_
