// A batch of system calls that another task will make, built here as bytes: calls with their
// arguments, the data that the calls point to, and room for what they return.
//
// The memory that a batch occupies in the task (see RemoteSyscalls):
//   | call 0 | call 1 | ... | data: strings, structures, output buffers ... |
// The loop that runs it is process/batch_loop_x86_64.S, which shares the layout of SyscallRecord.
#ifndef PROCESS_SYSCALL_BATCH_H_
#define PROCESS_SYSCALL_BATCH_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/byte_reader.h"
#include "process/remote_ptr.h"

namespace ckpt {

// What a system call takes: integers, and addresses in the task.
struct SyscallArgument {
  template <std::integral T>
  constexpr SyscallArgument(T number)  // NOLINT(google-explicit-constructor)
      : value(static_cast<uint64_t>(number)) {}
  constexpr SyscallArgument(RemotePtr pointer)  // NOLINT(google-explicit-constructor)
      : value(pointer.address()) {}

  uint64_t value;
};

// One call as the loop reads it from the task's memory.
struct SyscallRecord {
  int64_t number = 0;
  std::array<uint64_t, 6> arguments{};
  int64_t result = 0;         // written by the loop: as the kernel returned it, -errno for errors
  uint64_t store_result = 0;  // an address to which the loop copies the result too, or 0
  uint64_t stop_on_error = 0;
};
static_assert(sizeof(SyscallRecord) == 80, "batch_loop_x86_64.S knows these offsets");

class SyscallBatch {
 public:
  // `area` is the task's memory that the batch may fill. The first `max_calls` records are for
  // calls.
  SyscallBatch(RemoteRange area, size_t max_calls);

  enum class OnError { kStop, kGoOn };

  // Adds a call; the number of it. A call that fails with kStop ends the batch there.
  size_t Add(OnError on_error, long number, std::initializer_list<SyscallArgument> arguments);

  // Argument `argument` of the later call `to` is what the call `from` will return. One for each
  // `from`.
  void PassResult(size_t from, size_t to, size_t argument);

  // Room in the task, zeroed, 16 bytes aligned; or filled with a copy of `bytes`.
  RemotePtr Reserve(size_t size_bytes);
  RemotePtr PutBytes(Bytes bytes);
  RemotePtr PutString(std::string_view text);  // NUL-terminated
  template <typename T>
  requires std::is_trivially_copyable_v<T> RemotePtr PutObject(const T& object) {
    return PutBytes(std::as_bytes(std::span(&object, 1)));
  }

  // True while another call, and data of `data_bytes`, fit.
  bool Fits(size_t calls, size_t data_bytes) const;
  size_t call_count() const { return call_count_; }

  // After RemoteSyscalls::Run(): what call `index` returned, and what the calls wrote.
  int64_t result(size_t index) const;
  Bytes Output(RemotePtr pointer, size_t size_bytes) const;
  template <typename T>
  requires std::is_trivially_copyable_v<T> T OutputObject(RemotePtr pointer)
  const {
    T object;
    std::memcpy(&object, Output(pointer, sizeof(T)).data(), sizeof(T));
    return object;
  }

  // The call that ended the batch early, or call_count().
  size_t first_failure() const;

  // For RemoteSyscalls.
  RemotePtr start() const { return RemotePtr(area_.start); }
  std::span<std::byte> image() { return image_; }
  SyscallRecord record(size_t index) const;

 private:
  void Fill(RemotePtr pointer, Bytes bytes);
  void PutRecord(size_t index, const SyscallRecord& record);
  uint64_t AddressOfRecord(size_t index) const {
    return area_.start + index * sizeof(SyscallRecord);
  }

  RemoteRange area_;
  size_t max_calls_;
  size_t call_count_ = 0;
  std::vector<std::byte> image_;  // the bytes of area_ that are in use
};

}  // namespace ckpt

#endif  // PROCESS_SYSCALL_BATCH_H_
