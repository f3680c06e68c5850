// A process of a dump as an ELF core.
#ifndef IMGTOOL_MEMORY_CORE_FILE_H_
#define IMGTOOL_MEMORY_CORE_FILE_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "imgtool/memory/dumped_process.h"
#include "imgtool/memory/process_memory.h"

namespace ckpt {

// Creates or replaces `path`, whole or not at all, readable by its owner. Pages are streamed; those
// that are zeros are holes.
Result<> WriteCoreFile(const ProcessMemory& memory, const std::vector<DumpedThread>& threads,
                       const std::string& path);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_CORE_FILE_H_
