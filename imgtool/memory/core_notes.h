// The notes of an ELF core: threads with their registers, and what debuggers want of a process.
#ifndef IMGTOOL_MEMORY_CORE_NOTES_H_
#define IMGTOOL_MEMORY_CORE_NOTES_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "imgtool/memory/dumped_process.h"
#include "imgtool/memory/process_memory.h"

namespace ckpt {

// The contents of PT_NOTE, in the order in which Linux writes them (fs/binfmt_elf.c): of the leader
// NT_PRSTATUS, NT_PRPSINFO, NT_SIGINFO, NT_AUXV, NT_FILE, NT_FPREGSET and NT_X86_XSTATE, of each
// other thread NT_PRSTATUS, NT_FPREGSET and NT_X86_XSTATE. No signal ended the process, so that of
// the status is 0. kUnsupported where a thread is not of x86-64 or runs 32-bit code.
Result<std::string> BuildCoreNotes(const ProcessMemory& memory,
                                   const std::vector<DumpedThread>& threads);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_CORE_NOTES_H_
