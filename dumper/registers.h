// Registers of a thread as core images have them. Pure.
#ifndef DUMPER_REGISTERS_H_
#define DUMPER_REGISTERS_H_

#include <sys/user.h>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/proto/arch_x86.pb.h"

namespace ckpt {

// The registers to go on with elsewhere: where the stop interrupted a system call, they are set so
// that the call is made again, or, where the kernel would have gone on from its own memory of the
// call (ERESTART_RESTARTBLOCK: a relative timeout), so that it returns EINTR. orig_rax is -1 then.
// Source: arch_do_signal_or_restart in arch/x86/kernel/signal.c.
user_regs_struct ResumableRegisters(const user_regs_struct& stopped);

void FillGeneralRegisters(const user_regs_struct& registers, pb::user_x86_regs_entry* entry);

// `xstate` is the XSAVE area as NT_X86_XSTATE gives it. kUnsupported names a state component that
// is in use and that the format cannot hold (AMX tiles, ...).
Result<> FillExtendedState(Bytes xstate, pb::user_x86_fpregs_entry* entry);

}  // namespace ckpt

#endif  // DUMPER_REGISTERS_H_
