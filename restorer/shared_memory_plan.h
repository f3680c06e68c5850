// The plan of shared anonymous memory: mmap(2) with MAP_SHARED | MAP_ANONYMOUS.
#ifndef RESTORER_SHARED_MEMORY_PLAN_H_
#define RESTORER_SHARED_MEMORY_PLAN_H_

#include <cstdint>
#include <map>
#include <optional>

#include "restorer/dump_images.h"
#include "restorer/findings.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// The ids of shared memory by the ids of files in files.img that stand for it: CRIU from 4.0 on
// takes it for a memfd with the name that the kernel shows, "/dev/zero".
using SharedMemoryFiles = std::map<uint32_t, uint64_t>;

SharedMemoryFiles FindSharedMemoryFiles(const DumpImages& images);

// The shared memory that a mapping shows, if it shows any.
std::optional<uint64_t> SharedMemoryId(const pb::vma_entry& vma, const SharedMemoryFiles& files);

// Adds what the mappings of the plan's tasks show to the plan.
void PlanSharedMemory(const DumpImages& images, RestorePlan& plan, Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_SHARED_MEMORY_PLAN_H_
