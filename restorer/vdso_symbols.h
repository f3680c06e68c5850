// The functions of a vdso: a small ELF parser for bytes that come from a dump.
#ifndef RESTORER_VDSO_SYMBOLS_H_
#define RESTORER_VDSO_SYMBOLS_H_

#include <cstdint>
#include <map>
#include <string>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

// What a vdso may have at most. Linux's x86-64 vdso has 2 pages.
inline constexpr size_t kMaxVdsoBytes = size_t{256} * 1024;

struct VdsoFunction {
  uint64_t offset = 0;  // from the start of the vdso
  uint64_t size_bytes = 0;

  friend bool operator==(const VdsoFunction&, const VdsoFunction&) = default;
};

// By name. Several names can be of one function.
using VdsoSymbols = std::map<std::string, VdsoFunction>;

// The defined functions in the dynamic symbol table of `image`, the bytes of a whole vdso as it
// lies in memory. kBadFormat says what does not fit, and where.
Result<VdsoSymbols> ParseVdsoSymbols(Bytes image);

}  // namespace ckpt

#endif  // RESTORER_VDSO_SYMBOLS_H_
