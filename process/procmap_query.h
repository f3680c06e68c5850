// The PROCMAP_QUERY ioctl: one mapping per call, in binary.
#ifndef PROCESS_PROCMAP_QUERY_H_
#define PROCESS_PROCMAP_QUERY_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "process/mapping.h"

namespace ckpt {

// The mapping that covers `address`, or the first one after it; nothing when there is none.
// `maps_fd` is an open /proc/PID/maps, `name` what messages call it.
Result<std::optional<Mapping>> QueryMapping(int maps_fd, std::string_view name, uint64_t address);

}  // namespace ckpt

#endif  // PROCESS_PROCMAP_QUERY_H_
