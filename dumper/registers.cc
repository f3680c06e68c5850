#include "dumper/registers.h"

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "process/xsave_layout.h"

namespace ckpt {

namespace {

// Results that only the kernel sees (include/linux/errno.h).
constexpr int64_t kERestartSys = 512;
constexpr int64_t kERestartNoIntr = 513;
constexpr int64_t kERestartNoHand = 514;
constexpr int64_t kERestartRestartBlock = 516;

constexpr uint64_t kSyscallInstructionBytes = 2;
constexpr uint64_t kNoSyscall = ~uint64_t{0};

constexpr uint64_t kStorable =
    BitOf(XComponent::kX87) | BitOf(XComponent::kSse) | BitOf(XComponent::kAvx) |
    BitOf(XComponent::kBndRegs) | BitOf(XComponent::kBndCsr) | BitOf(XComponent::kOpmask) |
    BitOf(XComponent::kZmmUpper) | BitOf(XComponent::kHi16Zmm) | BitOf(XComponent::kPkru);

template <typename Word>
Word WordAt(Bytes bytes, size_t offset) {
  Word word;
  CKPT_CHECK(offset + sizeof(Word) <= bytes.size());
  std::memcpy(&word, bytes.data() + offset, sizeof(Word));
  return word;
}

template <typename Word, typename Field>
void AddWords(Bytes bytes, Field* field) {
  for (size_t at = 0; at < bytes.size(); at += sizeof(Word)) field->Add(WordAt<Word>(bytes, at));
}

template <typename Word, typename Field>
void AddComponent(Bytes xstate, XComponent component, uint64_t present, Field* field) {
  const XComponentPlace place = PlaceOf(component);
  if ((present & BitOf(component)) == 0 || place.offset + place.size_bytes > xstate.size()) return;
  AddWords<Word>(xstate.subspan(place.offset, place.size_bytes), field);
}

// The FXSAVE area: Intel SDM, volume 1, table 10-2.
void FillLegacyState(Bytes area, pb::user_x86_fpregs_entry* entry) {
  entry->set_cwd(WordAt<uint16_t>(area, 0));
  entry->set_swd(WordAt<uint16_t>(area, 2));
  entry->set_twd(WordAt<uint16_t>(area, 4));
  entry->set_fop(WordAt<uint16_t>(area, 6));
  entry->set_rip(WordAt<uint64_t>(area, 8));
  entry->set_rdp(WordAt<uint64_t>(area, 16));
  entry->set_mxcsr(WordAt<uint32_t>(area, 24));
  entry->set_mxcsr_mask(WordAt<uint32_t>(area, 28));
  AddWords<uint32_t>(area.subspan(32, 128), entry->mutable_st_space());
  AddWords<uint32_t>(area.subspan(160, 256), entry->mutable_xmm_space());
}

}  // namespace

user_regs_struct ResumableRegisters(const user_regs_struct& stopped) {
  user_regs_struct registers = stopped;
  if (stopped.orig_rax == kNoSyscall) return registers;
  registers.orig_rax = kNoSyscall;
  switch (-static_cast<int64_t>(stopped.rax)) {
    case kERestartSys:
    case kERestartNoIntr:
    case kERestartNoHand:
      registers.rax = stopped.orig_rax;
      registers.rip -= kSyscallInstructionBytes;
      break;
    case kERestartRestartBlock:
      registers.rax = static_cast<uint64_t>(-EINTR);
      break;
    default:
      break;
  }
  return registers;
}

void FillGeneralRegisters(const user_regs_struct& registers, pb::user_x86_regs_entry* entry) {
  entry->set_r15(registers.r15);
  entry->set_r14(registers.r14);
  entry->set_r13(registers.r13);
  entry->set_r12(registers.r12);
  entry->set_bp(registers.rbp);
  entry->set_bx(registers.rbx);
  entry->set_r11(registers.r11);
  entry->set_r10(registers.r10);
  entry->set_r9(registers.r9);
  entry->set_r8(registers.r8);
  entry->set_ax(registers.rax);
  entry->set_cx(registers.rcx);
  entry->set_dx(registers.rdx);
  entry->set_si(registers.rsi);
  entry->set_di(registers.rdi);
  entry->set_orig_ax(registers.orig_rax);
  entry->set_ip(registers.rip);
  entry->set_cs(registers.cs);
  entry->set_flags(registers.eflags);
  entry->set_sp(registers.rsp);
  entry->set_ss(registers.ss);
  entry->set_fs_base(registers.fs_base);
  entry->set_gs_base(registers.gs_base);
  entry->set_ds(registers.ds);
  entry->set_es(registers.es);
  entry->set_fs(registers.fs);
  entry->set_gs(registers.gs);
  entry->set_mode(pb::NATIVE);
}

Result<> FillExtendedState(Bytes xstate, pb::user_x86_fpregs_entry* entry) {
  if (xstate.size() < kXsaveLegacyBytes + kXsaveHeaderBytes) {
    return MakeError(ErrorCode::kUnsupported, "{} bytes of extended state, expected at least {}",
                     xstate.size(), kXsaveLegacyBytes + kXsaveHeaderBytes);
  }
  FillLegacyState(xstate.first(kXsaveLegacyBytes), entry);
  const auto in_use = WordAt<uint64_t>(xstate, kXsaveHeaderOffset);
  if ((in_use & ~kStorable) != 0) {
    return MakeError(ErrorCode::kUnsupported,
                     "extended state components {:#x} are in use; the format holds {:#x}",
                     in_use & ~kStorable, kStorable);
  }
  pb::user_x86_xsave_entry* xsave = entry->mutable_xsave();
  const auto enabled = WordAt<uint64_t>(xstate, kXsaveXcr0Offset);
  xsave->set_xstate_bv(in_use);
  AddComponent<uint32_t>(xstate, XComponent::kAvx, enabled, xsave->mutable_ymmh_space());
  AddComponent<uint64_t>(xstate, XComponent::kBndRegs, enabled, xsave->mutable_bndreg_state());
  AddComponent<uint64_t>(xstate, XComponent::kBndCsr, enabled, xsave->mutable_bndcsr_state());
  AddComponent<uint64_t>(xstate, XComponent::kOpmask, enabled, xsave->mutable_opmask_reg());
  AddComponent<uint64_t>(xstate, XComponent::kZmmUpper, enabled, xsave->mutable_zmm_upper());
  AddComponent<uint64_t>(xstate, XComponent::kHi16Zmm, enabled, xsave->mutable_hi16_zmm());
  AddComponent<uint32_t>(xstate, XComponent::kPkru, enabled, xsave->mutable_pkru());
  return success();
}

}  // namespace ckpt
