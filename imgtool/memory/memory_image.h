// A range of memory as plain bytes.
#ifndef IMGTOOL_MEMORY_MEMORY_IMAGE_H_
#define IMGTOOL_MEMORY_MEMORY_IMAGE_H_

#include <functional>
#include <ostream>
#include <string>

#include "base/result.h"
#include "imgtool/memory/process_memory.h"

namespace ckpt {

// What stands for bytes that the dump does not hold.
enum class Gaps { kRefused, kZeros };

// Told of each gap that zeros are written for.
using NoteGap = std::function<void(const MemoryPiece&)>;

// With Gaps::kRefused kNotFound names the first gap, and nothing has been written.
Result<> WriteMemory(const ProcessMemory& memory, AddressRange range, Gaps gaps, std::ostream& out,
                     const NoteGap& note);

// The same into a file that appears whole or not at all, readable by its owner, with holes where
// there are zeros.
Result<> WriteMemoryFile(const ProcessMemory& memory, AddressRange range, Gaps gaps,
                         const std::string& path, const NoteGap& note);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_MEMORY_IMAGE_H_
