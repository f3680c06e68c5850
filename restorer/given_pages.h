// Pages that a task cannot read itself, since their image is compressed: the restorer decompresses
// them and writes them into the task's memory.
#ifndef RESTORER_GIVEN_PAGES_H_
#define RESTORER_GIVEN_PAGES_H_

#include <span>
#include <vector>

#include "base/result.h"
#include "restorer/restore_plan.h"
#include "restorer/restored_task.h"

namespace ckpt {

// Runs of one image that lie so near each other in it that they are read at once.
struct GivenPages {
  size_t source = 0;
  uint64_t offset_bytes = 0;  // in the image, of all from the first run to the last
  uint64_t size_bytes = 0;
  std::vector<PagesPlan> runs;
};

// Cuts runs at the bounds of frames of the size that we write, and puts together those of one.
// Without those of images that `is_compressed` (by source) says no of.
std::vector<GivenPages> PlanGivenPages(std::span<const PagesPlan> pages,
                                       const std::vector<bool>& is_compressed);

// Fills the task's memory, which is mapped and writable, with those of `pages` that are in
// compressed images, by all processors.
Result<> GivePages(const RestoredTask& task, std::span<const PagesPlan> pages);

}  // namespace ckpt

#endif  // RESTORER_GIVEN_PAGES_H_
