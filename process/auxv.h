// /proc/PID/auxv: the auxiliary vector of a 64-bit process.
#ifndef PROCESS_AUXV_H_
#define PROCESS_AUXV_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

struct AuxvEntry {
  uint64_t type = 0;  // AT_*
  uint64_t value = 0;
  bool operator==(const AuxvEntry&) const = default;
};

// All pairs in the file, the AT_NULL pair and what follows it included (the kernel's array has a
// fixed size, and the image format wants it whole). kBadFormat when it ends inside a pair.
Result<std::vector<AuxvEntry>> ParseAuxv(Bytes bytes);

// The value of the first entry of `type` before AT_NULL.
std::optional<uint64_t> FindAuxv(const std::vector<AuxvEntry>& auxv, uint64_t type);

// Empty for a kernel thread and a zombie.
Result<std::vector<AuxvEntry>> ReadAuxv(pid_t pid);

}  // namespace ckpt

#endif  // PROCESS_AUXV_H_
