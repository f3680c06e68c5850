// The memory of a process as a list: its mappings, and where the pages of each are.
#ifndef IMGTOOL_MEMORY_MAP_LISTING_H_
#define IMGTOOL_MEMORY_MAP_LISTING_H_

#include <ostream>

#include "base/result.h"
#include "imgtool/memory/process_memory.h"

namespace ckpt {

// Of the mappings and pages in `range`. A line for each mapping, as in /proc/PID/maps, and below it
// one for each run of pages; the sums last.
Result<> ListMap(const ProcessMemory& memory, AddressRange range, std::ostream& out);

// The same as one JSON object. Addresses are hexadecimal strings, counts and offsets numbers.
Result<> ListMapAsJson(const ProcessMemory& memory, AddressRange range, std::ostream& out);

// "rw-p", as in /proc/PID/maps.
std::string PermissionsOf(const pb::vma_entry& vma);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_MAP_LISTING_H_
