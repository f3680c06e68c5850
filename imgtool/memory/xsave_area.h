// The floating point and extended registers of a thread as notes of an ELF core have them. Pure.
#ifndef IMGTOOL_MEMORY_XSAVE_AREA_H_
#define IMGTOOL_MEMORY_XSAVE_AREA_H_

#include <string>

#include "base/result.h"
#include "formats/proto/arch_x86.pb.h"

namespace ckpt {

// The FXSAVE area of 512 bytes: NT_FPREGSET (Intel SDM, volume 1, table 10-2). kBadFormat where
// st_space or xmm_space have another length than its registers.
Result<std::string> BuildFxsaveArea(const pb::user_x86_fpregs_entry& registers);

// The XSAVE area in its standard form, with the components at the offsets that Intel processors
// have them at and debuggers expect, up to the last that the image holds: NT_X86_XSTATE. Empty
// where the image has no extended state. kBadFormat where a component has another length than the
// processor gives it.
Result<std::string> BuildXsaveArea(const pb::user_x86_fpregs_entry& registers);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_XSAVE_AREA_H_
