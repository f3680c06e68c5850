// Reading and writing the memory of another process.
#ifndef PROCESS_REMOTE_MEMORY_H_
#define PROCESS_REMOTE_MEMORY_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/byte_reader.h"
#include "base/file.h"
#include "base/result.h"
#include "process/remote_ptr.h"

namespace ckpt {

// Memory of `pid`: process_vm_readv(2) where the task could read it itself, /proc/PID/mem (which
// ignores protection) where it could not. Needs ptrace access to the process.
class RemoteMemory {
 public:
  static Result<RemoteMemory> Open(pid_t pid);

  pid_t pid() const { return pid_; }

  // All of `into`, or an error that names the first address that could not be read.
  Result<> Read(RemotePtr from, std::span<std::byte> into) const;
  Result<> Write(RemotePtr to, Bytes bytes) const;

  // Gathers `ranges`, in order, into `into`, which has just their size. Faster than Read() for many
  // ranges; falls back to it for those that process_vm_readv refuses (PROT_NONE areas).
  Result<> ReadRanges(std::span<const RemoteRange> ranges, std::span<std::byte> into) const;

  template <typename T>
  requires std::is_trivially_copyable_v<T> Result<T> ReadObject(RemotePtr from)
  const {
    T object;
    CKPT_TRY(Read(from, std::as_writable_bytes(std::span(&object, 1))));
    return object;
  }

 private:
  RemoteMemory(pid_t pid, UniqueFd mem) : pid_(pid), mem_(std::move(mem)) {}

  pid_t pid_;
  UniqueFd mem_;  // /proc/PID/mem
};

}  // namespace ckpt

#endif  // PROCESS_REMOTE_MEMORY_H_
