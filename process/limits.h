// /proc/PID/limits: the resource limits of a process. Reading them takes no privilege, which
// prlimit(2) on a process of another uid does (CAP_SYS_RESOURCE).
#ifndef PROCESS_LIMITS_H_
#define PROCESS_LIMITS_H_

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <string_view>

#include "base/result.h"

namespace ckpt {

inline constexpr size_t kLimitCount = 16;  // RLIM_NLIMITS of Linux

// Indexed by RLIMIT_*; in the units of getrlimit(2); "unlimited" is RLIM_INFINITY.
using Limits = std::array<rlimit, kLimitCount>;

// The name that the file has for a RLIMIT_* below kLimitCount, such as "Max open files".
std::string_view LimitName(size_t resource);

// Every limit must be there once. kBadFormat names the line, or the limit that is missing.
Result<Limits> ParseLimits(std::string_view text);

Result<Limits> ReadLimits(pid_t pid);

}  // namespace ckpt

#endif  // PROCESS_LIMITS_H_
