#include "restorer/running_vdso.h"

#include <algorithm>

namespace ckpt {

std::vector<RemoteRange> RunningVdso::PiecesAt(uint64_t new_start) const {
  std::vector<RemoteRange> moved;
  for (const RemoteRange& piece : pieces) {
    const uint64_t at = new_start + (piece.start - start());
    moved.push_back({at, at + piece.size_bytes()});
  }
  return moved;
}

Result<RunningVdso> FindRunningVdso(std::span<const Mapping> mappings, const RemoteMemory& memory) {
  RunningVdso found;
  RemoteRange vdso;
  for (const Mapping& mapping : mappings) {
    const SpecialMapping kind = SpecialMappingOf(mapping);
    const bool is_data = kind == SpecialMapping::kVvar || kind == SpecialMapping::kVvarVclock;
    if (kind == SpecialMapping::kVdso) vdso = {mapping.start, mapping.end};
    if (is_data) found.shape.vvar_bytes += mapping.size_bytes();
    if (is_data || kind == SpecialMapping::kVdso) {
      found.pieces.push_back({mapping.start, mapping.end});
    }
  }
  if (vdso.size_bytes() == 0) return RunningVdso{};
  found.shape.vdso_after_vvar = vdso.start - found.start();
  found.shape.vdso_bytes = vdso.size_bytes();
  std::vector<std::byte> image(vdso.size_bytes());
  CKPT_TRY(memory.Read(RemotePtr(vdso.start), image));
  CKPT_TRY(found.shape.symbols, ParseVdsoSymbols(image));
  return found;
}

}  // namespace ckpt
