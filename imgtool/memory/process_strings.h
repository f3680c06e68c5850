// The arguments and the environment of a process, as they stand in its memory.
#ifndef IMGTOOL_MEMORY_PROCESS_STRINGS_H_
#define IMGTOOL_MEMORY_PROCESS_STRINGS_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "imgtool/memory/process_memory.h"

namespace ckpt {

// What prctl(PR_SET_MM) accepts is without a limit; execve(2) takes at most 6 MiB.
inline constexpr size_t kMaxStringsBytes = size_t{32} << 20;

// The bytes of /proc/PID/cmdline: also of a process that wrote another title over its arguments,
// maybe into its environment (get_mm_cmdline in fs/proc/base.c). Errors are those of
// ProcessMemory::Read().
Result<std::string> ReadArguments(const ProcessMemory& memory);

// The bytes of /proc/PID/environ.
Result<std::string> ReadEnvironment(const ProcessMemory& memory);

// The strings that a NUL ends, and one without at the end. Empty ones count.
std::vector<std::string_view> SplitStrings(std::string_view bytes);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_PROCESS_STRINGS_H_
