// Which parts of a memory an ELF core has the bytes of, and where in the file.
#ifndef IMGTOOL_MEMORY_CORE_LAYOUT_H_
#define IMGTOOL_MEMORY_CORE_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "imgtool/memory/process_memory.h"

namespace ckpt {

// One PT_LOAD.
struct CoreSegment {
  AddressRange range;
  uint32_t flags = 0;        // PF_*
  bool has_bytes = false;    // all of them; else none
  uint64_t file_offset = 0;  // by PlaceCore()

  uint64_t file_bytes() const { return has_bytes ? range.size_bytes() : 0; }
};

// More mappings and pieces than any core was ever written with.
inline constexpr size_t kMaxCoreSegments = size_t{1} << 20;

// A segment for each mapping. One of which the dump has only a part, as pages of a file that the
// process changed, is several: what is not there is never written as zeros. As in the kernel's
// cores one that was never touched has no bytes; one that was has all, and holes of the file for
// zeros. kUnsupported beyond kMaxCoreSegments.
Result<std::vector<CoreSegment>> PlanCoreSegments(const ProcessMemory& memory);

// The beginning of a core: all that is in front of the bytes of the segments. Gives these their
// places behind it, in whole pages. kUnsupported where the file would be too big for any file.
struct CoreFrame {
  std::string head;
  uint64_t file_bytes = 0;
};
Result<CoreFrame> PlaceCore(const std::string& notes, std::vector<CoreSegment>& segments);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_CORE_LAYOUT_H_
