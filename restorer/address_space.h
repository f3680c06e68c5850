// Steps of a restore that build the dumped address space in an empty one. Each needs those before
// it, in this order; none is repeated after it failed.
#ifndef RESTORER_ADDRESS_SPACE_H_
#define RESTORER_ADDRESS_SPACE_H_

#include "base/result.h"
#include "restorer/mapped_pages.h"
#include "restorer/restored_task.h"

namespace ckpt {

// Maps everything that the dump has, writable where pages will be filled in.
Result<> MapMemory(RestoredTask& task);

// The same, by way of what the task has inherited from `maker`, whose memory is filled; and fills
// it. The pages of both that are equal stay shared.
Result<> ChangeInheritedMemory(RestoredTask& task, const RestoredTask& maker,
                               const MappedPages& pages);

// Has the task read its pages from the pages images.
Result<> FillMemory(RestoredTask& task);

// Final protections, madvise(2), guard regions.
Result<> ProtectMemory(RestoredTask& task);

// Where code, data, heap, stack, arguments and environment are, auxv and executable, as
// /proc/PID shows them.
Result<> SetMemoryLayout(RestoredTask& task);

}  // namespace ckpt

#endif  // RESTORER_ADDRESS_SPACE_H_
