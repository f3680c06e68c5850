#include "restorer/memory_plan.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "formats/vma_status.h"
#include "restorer/vdso_symbols.h"

namespace ckpt {

namespace {

// The highest user address of x86-64 with five levels of page tables (Linux, TASK_SIZE_MAX).
constexpr uint64_t kAddressLimit = (uint64_t{1} << 56) - kPageSize;

// Of shared memory, far more than there can be: sums with addresses cannot overflow.
constexpr uint64_t kMostSharedBytes = uint64_t{1} << 56;

// Newer than Debian 12's <sys/mman.h>: linux/mman.h, Linux 6.11.
constexpr uint32_t kMapDroppable = 0x08;

// The flags that mmap(2) can give back to a mapping. MAP_DENYWRITE and MAP_EXECUTABLE have no
// effect, but old images hold them.
constexpr uint32_t kMapFlags = MAP_TYPE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_LOCKED |
                               MAP_NORESERVE | MAP_STACK | MAP_DENYWRITE | MAP_EXECUTABLE;

struct UnsupportedStatus {
  uint32_t bit;
  std::string_view name;
};
constexpr std::array kUnsupportedStatuses = {
    UnsupportedStatus{kVmaSysvIpc, "System V shared memory"},
    UnsupportedStatus{kVmaSocket, "a socket's ring buffer"},
    UnsupportedStatus{kVmaAioRing, "an asynchronous I/O ring"},
    UnsupportedStatus{kVmaMemfd, "a memfd"},
    UnsupportedStatus{kVmaShadowStack, "a shadow stack"},
    UnsupportedStatus{kVmaUprobes, "the uprobes area"},
    UnsupportedStatus{kVmaUnsupported, "a mapping that its dumper did not know"},
};

// Advices of madvise(2) that are a state of the mapping: random, sequential, dontfork, mergeable,
// hugepage, nohugepage, dontdump, wipeonfork.
constexpr std::array kLastingAdvices = {MADV_RANDOM,    MADV_SEQUENTIAL, MADV_DONTFORK,
                                        MADV_MERGEABLE, MADV_HUGEPAGE,   MADV_NOHUGEPAGE,
                                        MADV_DONTDUMP,  MADV_WIPEONFORK};

bool IsAligned(uint64_t address) { return address % kPageSize == 0; }

// One address space being planned.
class Planner {
 public:
  Planner(const TaskImages& images, const SharedMemoryFiles& shared_files, Findings& findings)
      : mm_(*images.mm),
        pages_(images.pages),
        pid_(images.tree.pid()),
        shared_files_(shared_files),
        findings_(findings) {}

  AddressSpacePlan Plan() {
    for (const pb::vma_entry& vma : mm_.vmas()) PlanVma(vma);
    for (const PagesPlan& run : pages_) PlanPages(run);
    PlanLayout();
    return std::move(plan_);
  }

 private:
  std::string Place(const pb::vma_entry& vma) const {
    return fmt::format("mm-{}.img: mapping {:#x}-{:#x}", pid_, vma.start(), vma.end());
  }

  bool HasValidRange(const pb::vma_entry& vma) {
    if (vma.start() < vma.end() && IsAligned(vma.start()) && IsAligned(vma.end()) &&
        vma.end() <= kAddressLimit) {
      return true;
    }
    findings_.BadFormat("{}: not a range of whole pages below {:#x}", Place(vma), kAddressLimit);
    return false;
  }

  void PlanVma(const pb::vma_entry& vma) {
    if ((vma.status() & kVmaGuard) != 0) {
      if (HasValidRange(vma)) plan_.guards.push_back({vma.start(), vma.end()});
      return;
    }
    if ((vma.status() & kVmaRegular) == 0) return;  // the vsyscall page: the kernel's own
    if (!HasValidRange(vma)) return;
    if (!plan_.mappings.empty() && vma.start() < plan_.mappings.back().range.end) {
      findings_.BadFormat("{}: begins before the end of the mapping before it, {:#x}", Place(vma),
                          plan_.mappings.back().range.end);
      return;
    }
    plan_.mappings.push_back(PlanMapping(vma));
  }

  MappingPlan PlanMapping(const pb::vma_entry& vma) {
    MappingPlan mapping;
    mapping.range = {vma.start(), vma.end()};
    mapping.protection = static_cast<int>(vma.prot());
    mapping.flags = static_cast<int>(vma.flags() & ~uint32_t{MAP_DENYWRITE | MAP_EXECUTABLE});
    CheckProtectionAndFlags(vma);
    PlanKind(vma, mapping);
    PlanAdvice(vma, mapping);
    return mapping;
  }

  void CheckProtectionAndFlags(const pb::vma_entry& vma) {
    if ((vma.prot() & ~uint32_t{PROT_READ | PROT_WRITE | PROT_EXEC}) != 0) {
      findings_.Unsupported("{}: protection {:#x}, known bits are 0x7", Place(vma), vma.prot());
    }
    const uint32_t type = vma.flags() & MAP_TYPE;
    if (type != MAP_PRIVATE && type != MAP_SHARED && type != kMapDroppable) {
      findings_.Unsupported("{}: map type {}, known are 1, 2 and 8", Place(vma), type);
    }
    if ((vma.flags() & ~kMapFlags) != 0) {
      findings_.Unsupported("{}: map flags {:#x}, of which {:#x} are not supported{}", Place(vma),
                            vma.flags(), vma.flags() & ~kMapFlags,
                            (vma.flags() & MAP_HUGETLB) != 0 ? " (huge pages)" : "");
    }
  }

  void PlanKind(const pb::vma_entry& vma, MappingPlan& mapping) {
    if (const std::optional<uint64_t> id = SharedMemoryId(vma, shared_files_)) {
      PlanSharedMemory(vma, *id, mapping);
      return;
    }
    for (const UnsupportedStatus& status : kUnsupportedStatuses) {
      if ((vma.status() & status.bit) != 0) {
        findings_.Unsupported("{}: is {}, which is not supported", Place(vma), status.name);
        return;
      }
    }
    if ((vma.status() & kVmaVdso) != 0) {
      PlanVdso(vma, mapping);
    } else if ((vma.status() & kVmaVvar) != 0) {
      mapping.kind = MappingPlan::Kind::kVvar;
    } else if ((vma.status() & (kVmaFilePrivate | kVmaFileShared)) != 0) {
      PlanFile(vma, mapping);
    } else if ((vma.status() & kVmaAnonPrivate) == 0) {
      findings_.Unsupported("{}: status {:#x} names no kind of mapping", Place(vma), vma.status());
    } else if ((vma.flags() & MAP_ANONYMOUS) == 0 || (vma.flags() & MAP_TYPE) == MAP_SHARED) {
      findings_.BadFormat("{}: private anonymous by its status, but not by its flags {:#x}",
                          Place(vma), vma.flags());
    }
  }

  void PlanSharedMemory(const pb::vma_entry& vma, uint64_t id, MappingPlan& mapping) {
    mapping.kind = MappingPlan::Kind::kSharedMemory;
    mapping.shared_id = id;
    mapping.file_offset = vma.pgoff();
    mapping.flags &= ~MAP_ANONYMOUS;  // by a descriptor of it
    if (!IsAligned(vma.pgoff()) || vma.pgoff() > kMostSharedBytes) {
      findings_.BadFormat("{}: offset {} is not a multiple of {} up to {}", Place(vma), vma.pgoff(),
                          kPageSize, kMostSharedBytes);
    }
    if ((vma.flags() & MAP_TYPE) != MAP_SHARED) {
      findings_.BadFormat("{}: shared anonymous memory by its status, but not by its flags {:#x}",
                          Place(vma), vma.flags());
    }
  }

  void PlanVdso(const pb::vma_entry& vma, MappingPlan& mapping) {
    mapping.kind = MappingPlan::Kind::kVdso;
    if (mapping.range.size_bytes() > kMaxVdsoBytes) {
      findings_.BadFormat("{}: a vdso of {} bytes, at most {} are allowed", Place(vma),
                          mapping.range.size_bytes(), kMaxVdsoBytes);
    }
    if (has_vdso_) findings_.BadFormat("{}: a second vdso", Place(vma));
    has_vdso_ = true;
  }

  void PlanFile(const pb::vma_entry& vma, MappingPlan& mapping) {
    const bool shared = (vma.status() & kVmaFileShared) != 0;
    mapping.kind = MappingPlan::Kind::kFile;
    mapping.file_id = static_cast<uint32_t>(vma.shmid());
    mapping.file_offset = vma.pgoff();
    // Without the flags: a private mapping may write to its own copies.
    const bool writes = vma.has_fdflags() ? (vma.fdflags() & O_ACCMODE) == O_RDWR
                                          : shared && (vma.prot() & PROT_WRITE) != 0;
    mapping.file_access = writes ? O_RDWR : O_RDONLY;
    if (!IsAligned(vma.pgoff())) {
      findings_.BadFormat("{}: file offset {} is not a multiple of {}", Place(vma), vma.pgoff(),
                          kPageSize);
    }
    if ((vma.flags() & MAP_ANONYMOUS) != 0 || ((vma.flags() & MAP_TYPE) == MAP_SHARED) != shared) {
      findings_.BadFormat("{}: a {} file mapping by its status, but not by its flags {:#x}",
                          Place(vma), shared ? "shared" : "private", vma.flags());
    }
  }

  void PlanAdvice(const pb::vma_entry& vma, MappingPlan& mapping) {
    // The kernel sets the flags of its own mappings.
    using enum MappingPlan::Kind;
    if (mapping.kind == kVdso || mapping.kind == kVvar) return;
    uint64_t unknown = vma.madv();
    for (const int advice : kLastingAdvices) {
      if ((unknown & (uint64_t{1} << advice)) == 0) continue;
      mapping.advice.push_back(advice);
      unknown &= ~(uint64_t{1} << advice);
    }
    if (unknown != 0) {
      findings_.Unsupported("{}: madvise bits {:#x} are not supported", Place(vma), unknown);
    }
  }

  // The mapping that holds `address`. Runs come in ascending order, so it is searched onwards.
  MappingPlan* MappingAt(uint64_t address) {
    while (next_ < plan_.mappings.size() && plan_.mappings[next_].range.end <= address) ++next_;
    if (next_ == plan_.mappings.size() || address < plan_.mappings[next_].range.start) {
      return nullptr;
    }
    return &plan_.mappings[next_];
  }

  static bool CanHoldPages(const MappingPlan& mapping) {
    return mapping.kind != MappingPlan::Kind::kVvar && (mapping.flags & MAP_TYPE) != MAP_SHARED;
  }

  // A run may cross adjacent mappings; the vdso's part of it is kept apart.
  void PlanPages(PagesPlan run) {
    while (run.range.start < run.range.end) {
      MappingPlan* mapping = MappingAt(run.range.start);
      if (mapping == nullptr || !CanHoldPages(*mapping)) {
        findings_.BadFormat("pagemap-{}.img: pages {:#x}-{:#x} lie outside of private mappings",
                            pid_, run.range.start, run.range.end);
        return;
      }
      PagesPlan piece = run;
      piece.range.end = std::min(run.range.end, mapping->range.end);
      mapping->has_pages = true;
      AddPages(piece, *mapping);
      run.range.start = piece.range.end;
      run.offset_bytes += piece.range.size_bytes();
    }
  }

  void AddPages(const PagesPlan& piece, const MappingPlan& mapping) {
    if (mapping.kind == MappingPlan::Kind::kVdso) {
      plan_.vdso_pages.push_back(piece);
      return;
    }
    if (!plan_.pages.empty()) {
      PagesPlan& last = plan_.pages.back();
      if (last.range.end == piece.range.start && last.source == piece.source &&
          last.offset_bytes + last.range.size_bytes() == piece.offset_bytes) {
        last.range.end = piece.range.end;
        return;
      }
    }
    plan_.pages.push_back(piece);
  }

  void PlanLayout() {
    MemoryLayoutPlan& layout = plan_.layout;
    layout.start_code = mm_.mm_start_code();
    layout.end_code = mm_.mm_end_code();
    layout.start_data = mm_.mm_start_data();
    layout.end_data = mm_.mm_end_data();
    layout.start_brk = mm_.mm_start_brk();
    layout.brk = mm_.mm_brk();
    layout.start_stack = mm_.mm_start_stack();
    layout.arg_start = mm_.mm_arg_start();
    layout.arg_end = mm_.mm_arg_end();
    layout.env_start = mm_.mm_env_start();
    layout.env_end = mm_.mm_env_end();
    layout.exe_file_id = mm_.exe_file_id();
    layout.thp_disabled = mm_.thp_disabled();
    if (mm_.has_dumpable()) layout.dumpable = mm_.dumpable();
    PlanAuxv();
    if (mm_.aios_size() != 0) {
      findings_.Unsupported("mm-{}.img: {} asynchronous I/O contexts, which are not supported",
                            pid_, mm_.aios_size());
    }
  }

  // Pairs up to AT_NULL, and one AT_NULL: kernels differ in the size of what follows.
  void PlanAuxv() {
    for (int i = 0; i + 1 < mm_.mm_saved_auxv_size() && mm_.mm_saved_auxv(i) != 0; i += 2) {
      plan_.layout.auxv.push_back(mm_.mm_saved_auxv(i));
      plan_.layout.auxv.push_back(mm_.mm_saved_auxv(i + 1));
    }
    if (!plan_.layout.auxv.empty()) plan_.layout.auxv.insert(plan_.layout.auxv.end(), {0, 0});
  }

  const pb::mm_entry& mm_;
  const std::vector<PagesPlan>& pages_;
  uint32_t pid_;
  const SharedMemoryFiles& shared_files_;
  Findings& findings_;
  AddressSpacePlan plan_;
  size_t next_ = 0;
  bool has_vdso_ = false;
};

}  // namespace

AddressSpacePlan PlanAddressSpace(const TaskImages& images, const SharedMemoryFiles& shared_files,
                                  Findings& findings) {
  return Planner(images, shared_files, findings).Plan();
}

}  // namespace ckpt
