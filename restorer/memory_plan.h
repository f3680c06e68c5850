// The plan of an address space, from mm and pagemap images.
#ifndef RESTORER_MEMORY_PLAN_H_
#define RESTORER_MEMORY_PLAN_H_

#include "restorer/dump_images.h"
#include "restorer/findings.h"
#include "restorer/restore_plan.h"
#include "restorer/shared_memory_plan.h"

namespace ckpt {

// What is wrong or unsupported goes to `findings`, named by image and mapping; the plan is of use
// only when there are none. Needs images.mm.
AddressSpacePlan PlanAddressSpace(const TaskImages& images, const SharedMemoryFiles& shared_files,
                                  Findings& findings);

}  // namespace ckpt

#endif  // RESTORER_MEMORY_PLAN_H_
