// Shared anonymous memory (MAP_SHARED | MAP_ANONYMOUS, or a shared mapping of /dev/zero): files
// that have no name, each of which any number of processes map, in whole or in part.
#ifndef DUMPER_SHARED_MEMORY_H_
#define DUMPER_SHARED_MEMORY_H_

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "process/mapping.h"
#include "process/remote_ptr.h"

namespace ckpt {

// What a mapping that the kernel gives a file without a name is.
enum class NamelessFile {
  kNone,
  kSharedAnonymous,
  kMemoryFile,  // memfd_create(2)
  kSystemV,     // shmat(2)
};
// By the name that /proc/PID/maps shows, and the device that such files are on: pure but for that.
NamelessFile NamelessFileOf(const Mapping& mapping);

struct SharedMemory {
  uint64_t shmid = 0;       // the inode number: vma_entry.shmid, and of pagemap-shmem-<shmid>.img
  uint64_t size_bytes = 0;  // up to where it is mapped
  UniqueFd file;
  std::vector<RemoteRange> pages;  // that hold data, by offset; ascending
  uint32_t pages_id = 0;
};

class SharedMemories {
 public:
  // Those of a frozen process.
  Result<> Add(pid_t pid, const std::vector<Mapping>& mappings);

  // Once all processes are added: finds where data is. Holes stay holes.
  Result<> FindPages();

  // Stay where they are.
  std::deque<SharedMemory>& memories() { return memories_; }
  const std::deque<SharedMemory>& memories() const { return memories_; }

 private:
  std::deque<SharedMemory> memories_;
  std::unordered_map<uint64_t, size_t> by_shmid_;
};

}  // namespace ckpt

#endif  // DUMPER_SHARED_MEMORY_H_
