#include "restorer/shared_memory_maker.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <utility>

namespace ckpt {

namespace {

// Memory of this process; unmapped at the end.
class MappedMemory {
 public:
  static Result<MappedMemory> Map(uint64_t size_bytes) {
    void* start = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    const int saved = errno;
    if (start == MAP_FAILED) return ErrnoError(saved, "mmap of {} shared bytes", size_bytes);
    return MappedMemory({static_cast<std::byte*>(start), size_bytes});
  }
  MappedMemory(MappedMemory&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  MappedMemory& operator=(MappedMemory&&) = delete;
  ~MappedMemory() {
    if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
  }

  std::span<std::byte> bytes() const { return bytes_; }

  // The file that the kernel keeps it in, which has no other name.
  Result<UniqueFd> Open() const {
    const auto start = std::bit_cast<uint64_t>(bytes_.data());
    return OpenFile(fmt::format("/proc/self/map_files/{:x}-{:x}", start, start + bytes_.size()),
                    O_RDWR);
  }

 private:
  explicit MappedMemory(std::span<std::byte> bytes) : bytes_(bytes) {}

  std::span<std::byte> bytes_;
};

}  // namespace

Result<UniqueFd> MakeSharedMemory(const SharedMemoryPlan& plan,
                                  std::span<const SharedPages> pages_images) {
  const auto make = [&]() -> Result<UniqueFd> {
    CKPT_TRY(const MappedMemory memory, MappedMemory::Map(plan.size_bytes));
    for (const PagesPlan& run : plan.pages) {
      CKPT_TRY(pages_images[run.source]->Read(
          run.offset_bytes, memory.bytes().subspan(run.range.start, run.range.size_bytes())));
    }
    return memory.Open();
  };
  Result<UniqueFd> made = make();
  if (made.has_value()) return made;
  return std::move(made).error().In(fmt::format("shared memory {}", plan.id));
}

}  // namespace ckpt
