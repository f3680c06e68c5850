// The mappings of a process, from /proc/PID/maps, /proc/PID/smaps or PROCMAP_QUERY.
#ifndef PROCESS_MAPS_H_
#define PROCESS_MAPS_H_

#include <sys/types.h>

#include <string_view>
#include <vector>

#include "base/result.h"
#include "process/kernel_features.h"
#include "process/mapping.h"

namespace ckpt {

// The whole text of /proc/PID/maps or of /proc/PID/smaps. kBadFormat names line and text.
Result<std::vector<Mapping>> ParseMaps(std::string_view text);
Result<std::vector<Mapping>> ParseSmaps(std::string_view text);

// The mappings by address, without usage: PROCMAP_QUERY where `features` has it, else the text.
// The process should be stopped: neither way is a snapshot. A 32-bit process on a kernel with a
// vsyscall page gets its [vsyscall] entry from PROCMAP_QUERY only (the page is in no list of VMAs;
// the entry is copied from the caller's own maps).
Result<std::vector<Mapping>> ReadMappings(pid_t pid, const KernelFeatures& features);

// The mappings with usage. VmFlags exist nowhere else, and smaps walks the page tables for its
// sizes: 6 us for each mapping and 18 ms for each GB of 4 KB pages, measured on 6.18 (ReadMappings:
// 1 us for each mapping, either way, whatever is in it). So when the process is frozen and large,
// start with ReadMappings and read smaps on another thread meanwhile.
Result<std::vector<Mapping>> ReadSmaps(pid_t pid);

}  // namespace ckpt

#endif  // PROCESS_MAPS_H_
