// An address in another process: a type of its own, so that it cannot be dereferenced here.
#ifndef PROCESS_REMOTE_PTR_H_
#define PROCESS_REMOTE_PTR_H_

#include <compare>
#include <cstdint>

namespace ckpt {

class RemotePtr {
 public:
  constexpr RemotePtr() = default;
  constexpr explicit RemotePtr(uint64_t address) : address_(address) {}

  constexpr uint64_t address() const { return address_; }
  constexpr bool IsNull() const { return address_ == 0; }
  constexpr RemotePtr operator+(uint64_t offset_bytes) const {
    return RemotePtr(address_ + offset_bytes);
  }
  friend constexpr auto operator<=>(RemotePtr, RemotePtr) = default;

 private:
  uint64_t address_ = 0;
};

// [start, end) in another process.
struct RemoteRange {
  uint64_t start = 0;
  uint64_t end = 0;

  constexpr uint64_t size_bytes() const { return end - start; }
  constexpr bool Contains(uint64_t address) const { return start <= address && address < end; }
  constexpr bool Overlaps(const RemoteRange& other) const {
    return start < other.end && other.start < end;
  }
  friend constexpr auto operator<=>(const RemoteRange&, const RemoteRange&) = default;
};

inline constexpr uint64_t kPageSize = 4096;

}  // namespace ckpt

#endif  // PROCESS_REMOTE_PTR_H_
