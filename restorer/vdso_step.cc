#include "restorer/vdso_step.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "restorer/address_hole.h"

namespace ckpt {

namespace {

using Kind = MappingPlan::Kind;

const MappingPlan* Find(const AddressSpacePlan& plan, Kind kind) {
  const auto found = std::ranges::find(plan.mappings, kind, &MappingPlan::kind);
  return found == plan.mappings.end() ? nullptr : &*found;
}

// The bytes of the dumped vdso; a page that the dump lacks is an error.
Result<std::vector<std::byte>> ReadDumpedVdso(const RestoredTask& task, const MappingPlan& vdso) {
  std::vector<std::byte> image(vdso.range.size_bytes());
  uint64_t read_bytes = 0;
  for (const PagesPlan& run : task.plan->memory.vdso_pages) {
    if (run.range.start < vdso.range.start || run.range.end > vdso.range.end) continue;
    CKPT_TRY(
        task.files->Image(run.source)
            .Read(run.offset_bytes, std::span(image).subspan(run.range.start - vdso.range.start,
                                                             run.range.size_bytes())));
    read_bytes += run.range.size_bytes();
  }
  if (read_bytes == image.size()) return image;
  return MakeError(ErrorCode::kBadFormat,
                   "mm-{}.img: vdso at {:#x}: the dump has {} of its {} bytes", task.plan->pid,
                   vdso.range.start, read_bytes, image.size());
}

Result<VdsoShape> ShapeOf(const AddressSpacePlan& plan, const MappingPlan& vdso, Bytes image) {
  VdsoShape shape;
  shape.vdso_bytes = vdso.range.size_bytes();
  CKPT_TRY(shape.symbols, ParseVdsoSymbols(image));
  if (const MappingPlan* vvar = Find(plan, Kind::kVvar)) {
    shape.vvar_bytes = vvar->range.size_bytes();
    shape.vdso_after_vvar = vdso.range.start - vvar->range.start;
  }
  return shape;
}

Result<> MoveVdso(RestoredTask& task, uint64_t start) {
  RemoteCalls calls = task.Calls();
  const std::vector<RemoteRange> moved = task.vdso.PiecesAt(start);
  for (size_t i = 0; i < moved.size(); ++i) {
    const RemoteRange& from = task.vdso.pieces[i];
    CKPT_TRY(calls.MakeRoom(1, 0));
    calls.Add(fmt::format("mremap of the vdso's {:#x}-{:#x} to {:#x}", from.start, from.end,
                          moved[i].start),
              SYS_mremap,
              {from.start, from.size_bytes(), from.size_bytes(), MREMAP_MAYMOVE | MREMAP_FIXED,
               moved[i].start},
              static_cast<int64_t>(moved[i].start));
  }
  CKPT_TRY(calls.Flush());
  task.vdso.pieces = moved;
  return success();
}

Result<> UnmapVdso(RestoredTask& task) {
  RemoteCalls calls = task.Calls();
  for (const RemoteRange& piece : task.vdso.pieces) {
    CKPT_TRY(calls.Call("munmap of the vdso", SYS_munmap, {piece.start, piece.size_bytes()}));
  }
  task.vdso.pieces.clear();
  return calls.Flush();
}

}  // namespace

Result<> DecideOnVdso(RestoredTask& task) {
  const AddressSpacePlan& plan = task.plan->memory;
  const MappingPlan* vdso = Find(plan, Kind::kVdso);
  if (vdso == nullptr) return success();
  CKPT_TRY(const std::vector<std::byte> image, ReadDumpedVdso(task, *vdso));
  CKPT_TRY(const VdsoShape dumped, ShapeOf(plan, *vdso, image));
  if (dumped == task.vdso.shape) {
    task.log->Debug("vdso: the running kernel's goes to {:#x}", vdso->range.start);
    return success();
  }
  task.log->Info(
      "vdso: the dumped one differs from the running kernel's: its functions will jump "
      "to the latter at {:#x}",
      task.vdso.vdso_start());
  CKPT_TRY(task.patched_vdso,
           PatchVdso(image, dumped.symbols, task.vdso.shape.symbols, task.vdso.vdso_start()));
  return success();
}

Result<> ParkVdso(RestoredTask& task) {
  if (task.vdso.exists()) {
    CKPT_TRY(const RemoteRange hole, FindHole(task.occupied, task.vdso.whole().size_bytes()));
    CKPT_TRY(MoveVdso(task, hole.start));
  }
  return DecideOnVdso(task);
}

Result<> PlaceVdso(RestoredTask& task) {
  const MappingPlan* vdso = Find(task.plan->memory, Kind::kVdso);
  if (vdso == nullptr) return UnmapVdso(task);
  if (!task.patched_vdso)
    return MoveVdso(task, vdso->range.start - task.vdso.shape.vdso_after_vvar);
  return task.memory->Write(RemotePtr(vdso->range.start), *task.patched_vdso);
}

}  // namespace ckpt
