// The mappings of a process, from /proc/PID/maps or PROCMAP_QUERY. For what smaps tells of them see
// process/smaps.h.
#ifndef PROCESS_MAPS_H_
#define PROCESS_MAPS_H_

#include <sys/types.h>

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "process/kernel_features.h"
#include "process/mapping.h"

namespace ckpt {

// The whole text of /proc/PID/maps. kBadFormat names line and text.
Result<std::vector<Mapping>> ParseMaps(std::string_view text);

// One line, the one with the `number` that errors tell; smaps has such lines, too.
Result<> ParseMappingLine(size_t number, std::string_view line, Mapping& mapping);

// The mappings by address, without usage: PROCMAP_QUERY where `features` has it, else the text.
// The process should be stopped: neither way is a snapshot. A 32-bit process on a kernel with a
// vsyscall page gets its [vsyscall] entry from PROCMAP_QUERY only (the page is in no list of VMAs;
// the entry is copied from the caller's own maps).
Result<std::vector<Mapping>> ReadMappings(pid_t pid, const KernelFeatures& features);

}  // namespace ckpt

#endif  // PROCESS_MAPS_H_
