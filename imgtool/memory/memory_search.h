// Matches of a pattern in what a dump holds of a process's memory.
#ifndef IMGTOOL_MEMORY_MEMORY_SEARCH_H_
#define IMGTOOL_MEMORY_MEMORY_SEARCH_H_

#include <cstdint>
#include <functional>

#include "base/byte_reader.h"
#include "base/result.h"
#include "imgtool/memory/byte_pattern.h"
#include "imgtool/memory/process_memory.h"

namespace ckpt {

inline constexpr size_t kContextBytes = 48;

struct MemoryMatch {
  uint64_t address = 0;
  const pb::vma_entry* vma = nullptr;  // of its first byte; null where no mapping covers the page
  Bytes bytes;
  // What stands beside it, at most kContextBytes on each side; less at the end of what is held.
  Bytes before;
  Bytes after;
};

// Hands out the matches by ascending address; `visit` returns whether to go on. Pages that follow
// one another in memory are one text, wherever they are stored and whatever mapping they are in; at
// pages that are not stored, zeros included, a text ends. `on_progress` is told how many bytes of
// the memory have been read. Memory use does not depend on the dump.
using MatchVisitor = std::function<Result<bool>(const MemoryMatch&)>;
using ReadCount = std::function<void(uint64_t bytes)>;
Result<> SearchMemory(const ProcessMemory& memory, AddressRange range, const BytePattern& pattern,
                      const MatchVisitor& visit, const ReadCount& on_progress);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_MEMORY_SEARCH_H_
