// The VmFlags line of /proc/PID/smaps: two letters for each VM_ bit of a mapping.
#ifndef PROCESS_VM_FLAGS_H_
#define PROCESS_VM_FLAGS_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ckpt {

// Source: show_smap_vma_flags in fs/proc/task_mmu.c, Linux 5.10 to 6.19; the letters are in
// vm_flags.cc, in the same order.
enum class VmFlag : uint8_t {
  kRead,            // rd
  kWrite,           // wr
  kExec,            // ex
  kShared,          // sh
  kMayRead,         // mr
  kMayWrite,        // mw
  kMayExec,         // me
  kMayShare,        // ms
  kGrowsDown,       // gd
  kPfnMap,          // pf: raw page frames, as of a device; no struct page, unreadable from outside
  kLocked,          // lo: mlock
  kIo,              // io: device registers
  kSequentialRead,  // sr: MADV_SEQUENTIAL
  kRandomRead,      // rr: MADV_RANDOM
  kDontCopy,        // dc: MADV_DONTFORK
  kDontExpand,      // de
  kLockOnFault,     // lf: MLOCK_ONFAULT
  kAccount,         // ac
  kNoReserve,       // nr: MAP_NORESERVE
  kHugeTlb,         // ht
  kSync,            // sf: MAP_SYNC
  kArch1,           // ar
  kWipeOnFork,      // wf: MADV_WIPEONFORK
  kDontDump,        // dd: MADV_DONTDUMP
  kSoftDirty,       // sd
  kMixedMap,        // mm
  kHugePage,        // hg: MADV_HUGEPAGE
  kNoHugePage,      // nh: MADV_NOHUGEPAGE
  kMergeable,       // mg: MADV_MERGEABLE
  kUffdMissing,     // um: userfaultfd
  kUffdWriteProtect,  // uw
  kUffdMinor,         // ui
  kShadowStack,       // ss
  kSealed,            // sl: mseal
  kDroppable,         // dp: MAP_DROPPABLE
  kMaybeGuard,        // gu: may hold guard pages (MADV_GUARD_INSTALL), 6.19
  kUnknown,           // letters that this list does not have
};
inline constexpr size_t kVmFlagCount = static_cast<size_t>(VmFlag::kUnknown) + 1;

class VmFlags {
 public:
  bool Has(VmFlag flag) const { return bits_[static_cast<size_t>(flag)]; }
  void Add(VmFlag flag) { bits_.set(static_cast<size_t>(flag)); }
  bool operator==(const VmFlags&) const = default;

 private:
  std::bitset<kVmFlagCount> bits_;
};

// `text` is what follows "VmFlags:", such as "rd wr mr mw me gd ac".
VmFlags ParseVmFlags(std::string_view text);

// The two letters; "??" for kUnknown.
std::string_view VmFlagLetters(VmFlag flag);

}  // namespace ckpt

#endif  // PROCESS_VM_FLAGS_H_
