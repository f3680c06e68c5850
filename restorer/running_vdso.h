// The running kernel's vdso in a process: the code and the data pages (vvar) in front of it.
#ifndef RESTORER_RUNNING_VDSO_H_
#define RESTORER_RUNNING_VDSO_H_

#include <span>
#include <vector>

#include "base/result.h"
#include "process/mapping.h"
#include "process/remote_memory.h"
#include "process/remote_ptr.h"
#include "restorer/vdso_patch.h"

namespace ckpt {

struct RunningVdso {
  std::vector<RemoteRange> pieces;  // by address; none: the kernel has no vdso
  VdsoShape shape;

  bool exists() const { return !pieces.empty(); }
  uint64_t start() const { return pieces.front().start; }
  uint64_t vdso_start() const { return start() + shape.vdso_after_vvar; }
  RemoteRange whole() const { return {pieces.front().start, pieces.back().end}; }
  // The same pieces, moved so that they begin at `start`.
  std::vector<RemoteRange> PiecesAt(uint64_t new_start) const;
};

// Finds it among the mappings of a process, and reads its functions from the process.
Result<RunningVdso> FindRunningVdso(std::span<const Mapping> mappings, const RemoteMemory& memory);

}  // namespace ckpt

#endif  // RESTORER_RUNNING_VDSO_H_
