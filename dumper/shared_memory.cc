#include "dumper/shared_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

namespace ckpt {

namespace {

struct Device {
  uint32_t major = 0;
  uint32_t minor = 0;
};

// The device of a page of our own shared memory: the kernel has one mount for all such files
// (shmem_init in mm/shmem.c).
std::optional<Device> FindDevice() {
  void* const memory = mmap(nullptr, kPageSize, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return std::nullopt;
  const auto start = reinterpret_cast<uint64_t>(memory);
  struct stat status {};
  const std::string link = fmt::format("/proc/self/map_files/{:x}-{:x}", start, start + kPageSize);
  const int failed = stat(link.c_str(), &status);
  munmap(memory, kPageSize);
  if (failed != 0) return std::nullopt;
  return Device{.major = major(status.st_dev), .minor = minor(status.st_dev)};
}

bool IsOnDeviceOfNameless(const Mapping& mapping) {
  static const std::optional<Device> device = FindDevice();
  return device && mapping.dev_major == device->major && mapping.dev_minor == device->minor;
}

// Appends the extents of data in [0, size_bytes), on whole pages.
Result<> FindData(int fd, uint64_t size_bytes, std::vector<RemoteRange>& found) {
  uint64_t at = 0;
  while (at < size_bytes) {
    const off_t data = lseek(fd, static_cast<off_t>(at), SEEK_DATA);
    const int saved = errno;
    if (data < 0 && saved == ENXIO) break;  // nothing from here on
    if (data < 0) return ErrnoError(saved, "lseek(shared memory, {}, SEEK_DATA)", at);
    const off_t hole = lseek(fd, data, SEEK_HOLE);
    if (hole < 0) return ErrnoError(errno, "lseek(shared memory, {}, SEEK_HOLE)", data);
    const uint64_t start = static_cast<uint64_t>(data);
    at = (static_cast<uint64_t>(hole) + kPageSize - 1) / kPageSize * kPageSize;
    if (start < size_bytes) found.push_back({start, std::min(at, size_bytes)});
  }
  return success();
}

}  // namespace

NamelessFile NamelessFileOf(const Mapping& mapping) {
  if (mapping.path.starts_with("/memfd:")) return NamelessFile::kMemoryFile;
  const bool has_its_name =
      mapping.path == "/dev/zero (deleted)" || mapping.path.starts_with("[anon_shmem:");
  const bool is_system_v = mapping.path.starts_with("/SYSV");
  if (!has_its_name && !is_system_v) return NamelessFile::kNone;
  if (!IsOnDeviceOfNameless(mapping)) return NamelessFile::kNone;
  return is_system_v ? NamelessFile::kSystemV : NamelessFile::kSharedAnonymous;
}

Result<> SharedMemories::Add(pid_t pid, const std::vector<Mapping>& mappings) {
  for (const Mapping& mapping : mappings) {
    if (!mapping.shared || NamelessFileOf(mapping) != NamelessFile::kSharedAnonymous) continue;
    const auto [found, is_new] = by_shmid_.try_emplace(mapping.inode, memories_.size());
    if (is_new) {
      SharedMemory& memory = memories_.emplace_back();
      memory.shmid = mapping.inode;
      CKPT_TRY(memory.file, OpenFile(fmt::format("/proc/{}/map_files/{:x}-{:x}", pid, mapping.start,
                                                 mapping.end),
                                     O_RDONLY));
    }
    uint64_t& size_bytes = memories_[found->second].size_bytes;
    size_bytes = std::max(size_bytes, mapping.file_offset + mapping.size_bytes());
  }
  return success();
}

Result<> SharedMemories::FindPages() {
  for (SharedMemory& memory : memories_) {
    CKPT_TRY(FindData(memory.file.get(), memory.size_bytes, memory.pages));
  }
  return success();
}

}  // namespace ckpt
