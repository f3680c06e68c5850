// System calls made by one thread of a process being restored, each with a name for messages, run
// in as few batches as they fit in.
#ifndef RESTORER_REMOTE_CALLS_H_
#define RESTORER_REMOTE_CALLS_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "process/remote_syscalls.h"

namespace ckpt {

class RemoteCalls {
 public:
  // `engine` and `thread` must outlive this. At most `max_calls` are in one batch.
  RemoteCalls(const RemoteSyscalls& engine, Tracee& thread, size_t max_calls = kFewCalls);

  static constexpr size_t kFewCalls = 128;
  static constexpr size_t kManyCalls = 4096;

  // Makes room for `calls` calls that belong together, with `data_bytes` of data between them: runs
  // what is there when they do not fit. To be called before data is put for them.
  Result<> MakeRoom(size_t calls, size_t data_bytes);

  RemotePtr PutBytes(Bytes bytes) { return batch_.PutBytes(bytes); }
  RemotePtr PutString(std::string_view text) { return batch_.PutString(text); }
  template <typename T>
  requires std::is_trivially_copyable_v<T> RemotePtr PutObject(const T& object) {
    return batch_.PutObject(object);
  }

  // A call that must succeed; with `result` given, return just that. `name` is the call with its
  // arguments as a message shows it.
  void Add(std::string name, long number, std::initializer_list<SyscallArgument> arguments,
           std::optional<int64_t> result = std::nullopt);

  // A call that is of use, but that the restore can do without: where it fails there is a warning.
  void AddWanted(std::string name, long number, std::initializer_list<SyscallArgument> arguments);

  // A call without data, and the room for it.
  Result<> Call(std::string name, long number, std::initializer_list<SyscallArgument> arguments);

  // Runs what has not been run. The error is that of the first call that failed; those after it are
  // not made.
  Result<> Flush();

  // What wanted calls have failed at so far.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  struct Expectation {
    std::string name;
    bool wanted_only = false;
    std::optional<int64_t> result;
  };

  const RemoteSyscalls& engine_;
  Tracee& thread_;
  size_t max_calls_;
  SyscallBatch batch_;
  std::vector<Expectation> calls_;
  std::vector<std::string> warnings_;
};

}  // namespace ckpt

#endif  // RESTORER_REMOTE_CALLS_H_
