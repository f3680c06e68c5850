#include "restorer/shared_memory_plan.h"

#include <algorithm>
#include <string_view>

#include "formats/vma_status.h"

namespace ckpt {

namespace {

constexpr std::string_view kSharedMemoryName = "/dev/zero";

// What mmap(2) can take: the half of a 57-bit address space that processes have.
constexpr uint64_t kMostSharedMemoryBytes = uint64_t{1} << 56;

bool IsSharedMemory(const pb::memfd_inode_entry& memfd) {
  return memfd.name() == kSharedMemoryName;
}

}  // namespace

SharedMemoryFiles FindSharedMemoryFiles(const DumpImages& images) {
  std::map<uint64_t, uint64_t> ids_by_inode;
  for (const pb::memfd_inode_entry& memfd : images.memfds) {
    if (IsSharedMemory(memfd)) ids_by_inode.emplace(memfd.inode_id(), memfd.shmid());
  }
  SharedMemoryFiles files;
  for (const pb::file_entry& file : images.files) {
    const auto id = ids_by_inode.find(file.memfd().inode_id());
    if (file.has_memfd() && id != ids_by_inode.end()) files.emplace(file.id(), id->second);
  }
  return files;
}

std::optional<uint64_t> SharedMemoryId(const pb::vma_entry& vma, const SharedMemoryFiles& files) {
  if ((vma.status() & kVmaSysvIpc) != 0) return std::nullopt;
  if ((vma.status() & kVmaMemfd) != 0) {
    const auto file = files.find(static_cast<uint32_t>(vma.shmid()));
    if (file == files.end()) return std::nullopt;
    return file->second;
  }
  if ((vma.status() & kVmaAnonShared) != 0) return vma.shmid();
  return std::nullopt;
}

void PlanSharedMemory(const DumpImages& images, RestorePlan& plan, Findings& findings) {
  for (const TaskPlan& task : plan.tasks) {
    for (const MappingPlan& mapping : task.memory.mappings) {
      if (mapping.kind != MappingPlan::Kind::kSharedMemory) continue;
      SharedMemoryPlan& memory = plan.shared_memory[mapping.shared_id];
      memory.id = mapping.shared_id;
      memory.size_bytes =
          std::max(memory.size_bytes, mapping.file_offset + mapping.range.size_bytes());
    }
  }
  for (const pb::memfd_inode_entry& memfd : images.memfds) {
    const auto memory = plan.shared_memory.find(memfd.shmid());
    if (!IsSharedMemory(memfd) || memory == plan.shared_memory.end()) continue;
    memory->second.size_bytes = std::max(memory->second.size_bytes, memfd.size());
  }
  for (auto& [id, memory] : plan.shared_memory) {
    const auto pages = images.shared_pages.find(id);
    if (pages == images.shared_pages.end()) continue;
    memory.pages = pages->second;
    // The part that nobody maps any more may have pages, too.
    if (!memory.pages.empty()) {
      memory.size_bytes = std::max(memory.size_bytes, memory.pages.back().range.end);
    }
    if (memory.size_bytes > kMostSharedMemoryBytes) {
      findings.BadFormat("pagemap-shmem-{}.img: {} bytes of shared memory, at most {} are allowed",
                         id, memory.size_bytes, kMostSharedMemoryBytes);
    }
  }
}

}  // namespace ckpt
