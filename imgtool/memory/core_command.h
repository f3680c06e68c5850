// `imgtool core`: a process of a dump as an ELF core for a debugger.
#ifndef IMGTOOL_MEMORY_CORE_COMMAND_H_
#define IMGTOOL_MEMORY_CORE_COMMAND_H_

#include "imgtool/command.h"

namespace ckpt {

inline constexpr std::string_view kCoreDescription =
    R"(Writes process PID of a dump as an ELF core to FILE, whole or not at all, for
`gdb PROGRAM FILE` and its like: all threads with their registers, the memory that the dump and its
parents hold, and which files are mapped where. Memory that is in no dump, as that of mapped files
which the process did not change, has no bytes in the core: a debugger reads it from those files.

No signal ended the process, so the core names none. A thread that was in a system call stands where
it will make the call again. Only x86-64 processes of 64 bits can be written.

DUMP is a directory, an archive, or - for an archive on standard input.
)";

void AddCoreOptions(boost::program_options::options_description& options);
Result<int> RunCore(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_CORE_COMMAND_H_
