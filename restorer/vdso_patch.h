// What becomes of a dumped vdso on this kernel: the running kernel's own in its place where both
// are alike, else the dumped one with jumps into the running kernel's.
#ifndef RESTORER_VDSO_PATCH_H_
#define RESTORER_VDSO_PATCH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "restorer/vdso_symbols.h"

namespace ckpt {

// A vdso and the data pages (vvar) that its code finds by their distance from it.
struct VdsoShape {
  uint64_t vvar_bytes = 0;       // 0: none
  uint64_t vdso_after_vvar = 0;  // from the start of the vvar pages to the vdso
  uint64_t vdso_bytes = 0;
  VdsoSymbols symbols;

  friend bool operator==(const VdsoShape&, const VdsoShape&) = default;
};

// The bytes of `image`, a dumped vdso with `dumped` functions, in which each function begins with a
// jump to the one of the same name in the running kernel's vdso at `running_start`. A function that
// the running kernel does not have returns -ENOSYS, upon which callers make the system call.
// kUnsupported: a function has no room for the jump.
Result<std::vector<std::byte>> PatchVdso(Bytes image, const VdsoSymbols& dumped,
                                         const VdsoSymbols& running, uint64_t running_start);

}  // namespace ckpt

#endif  // RESTORER_VDSO_PATCH_H_
