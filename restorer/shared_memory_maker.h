// Makes shared anonymous memory again, with its content.
#ifndef RESTORER_SHARED_MEMORY_MAKER_H_
#define RESTORER_SHARED_MEMORY_MAKER_H_

#include <span>

#include "base/file.h"
#include "base/result.h"
#include "formats/pages_image.h"
#include "restorer/restore_plan.h"

namespace ckpt {

// A descriptor to map it by, in any process: /proc/PID/maps shows "/dev/zero (deleted)", as of
// memory that was mapped without a descriptor. What has no pages in the dump stays a hole.
// `pages_images` are those that the plan's pages name. Needs /proc.
Result<UniqueFd> MakeSharedMemory(const SharedMemoryPlan& plan,
                                  std::span<const SharedPages> pages_images);

}  // namespace ckpt

#endif  // RESTORER_SHARED_MEMORY_MAKER_H_
