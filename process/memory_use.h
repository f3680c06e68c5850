// How much memory of its own a process has, told without a walk over its page tables.
#ifndef PROCESS_MEMORY_USE_H_
#define PROCESS_MEMORY_USE_H_

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace ckpt {

// RssAnon (since 4.5) and VmSwap of /proc/PID/status, in bytes: an estimate of what a dump of its
// private pages takes (the kernel counts in batches for each thread, so it can be off by some
// hundred KB). 0 of a zombie.
Result<uint64_t> ParsePrivateBytes(std::string_view status);

// 0 of a process that is gone.
uint64_t ReadPrivateBytes(pid_t pid);

}  // namespace ckpt

#endif  // PROCESS_MEMORY_USE_H_
