#include "formats/check/memory_rules.h"

#include <fmt/format.h>

#include <set>
#include <string>

#include "formats/check/checked_files.h"
#include "formats/check/checked_tasks.h"
#include "formats/pagemap.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/vma_status.h"

namespace ckpt {

namespace {

using MmRef = EntryRef<pb::mm_entry>;

std::string RangeText(const pb::vma_entry& vma) {
  return fmt::format("{:#x}-{:#x}", vma.start(), vma.end());
}

template <typename Visit>
void ForEachMm(CheckRun& run, Visit visit) {
  run.dump().ForEach<pb::mm_entry>(ImageType::kMm, visit);
}

// Calls visit(place, field prefix, vma) for all mappings, those of older dumps too.
template <typename Visit>
void ForEachVma(CheckRun& run, Visit visit) {
  ForEachMm(run, [&](const MmRef& mm) {
    for (int i = 0; i < mm.message->vmas_size(); ++i) {
      visit(CheckPlace(mm), fmt::format("vmas[{}].", i), mm.message->vmas(i));
    }
  });
  run.dump().ForEach<pb::vma_entry>(ImageType::kVmas, [&](const EntryRef<pb::vma_entry>& vma) {
    visit(CheckPlace(vma), std::string(), *vma.message);
  });
}

void CheckVmaRanges(CheckRun& run) {
  ForEachVma(run, [&](const CheckPlace& place, const std::string& prefix, const auto& vma) {
    const bool is_page = vma.start() % kPageBytes == 0 && vma.end() % kPageBytes == 0;
    if (is_page && vma.start() < vma.end()) return;
    run.Add(place, prefix + "end", RangeText(vma), "whole pages, at least one");
  });
}

// Guard ranges lie inside other mappings and come behind all of them.
void CheckVmaOrder(CheckRun& run) {
  ForEachMm(run, [&](const MmRef& mm) {
    const pb::vma_entry* before = nullptr;
    for (int i = 0; i < mm.message->vmas_size(); ++i) {
      const pb::vma_entry& vma = mm.message->vmas(i);
      if ((vma.status() & kVmaGuard) != 0) continue;
      if (before != nullptr && vma.start() < before->end()) {
        run.Add(mm, fmt::format("vmas[{}].start", i),
                fmt::format("{} behind {}", RangeText(vma), RangeText(*before)),
                "ranges that ascend and do not overlap");
      }
      before = &vma;
    }
  });
}

void CheckVmaStatus(CheckRun& run) {
  ForEachVma(run, [&](const CheckPlace& place, const std::string& prefix, const auto& vma) {
    constexpr uint32_t kKinds = kVmaFilePrivate | kVmaFileShared | kVmaAnonShared |
                                kVmaAnonPrivate | kVmaSysvIpc | kVmaSocket | kVmaAioRing |
                                kVmaVsyscall | kVmaGuard | kVmaUprobes;
    if ((vma.status() & kKinds) != 0 && (vma.status() & kVmaUnsupported) == 0) return;
    run.Add(place, prefix + "status", fmt::format("{:#x}", vma.status()),
            "a kind of mapping that can be restored");
  });
}

bool IsOfFile(const pb::vma_entry& vma) {
  constexpr uint32_t kOthers = kVmaSysvIpc | kVmaSocket | kVmaAioRing | kVmaUprobes;
  return (vma.status() & (kVmaFilePrivate | kVmaFileShared)) != 0 && (vma.status() & kOthers) == 0;
}

void CheckVmaFiles(CheckRun& run) {
  const CheckedFiles& files = run.files();
  ForEachVma(run, [&](const CheckPlace& place, const std::string& prefix, const auto& vma) {
    const bool is_memfd = (vma.status() & kVmaMemfd) != 0;
    if (!IsOfFile(vma) && !is_memfd) return;
    const CheckedFile* file =
        vma.shmid() > UINT32_MAX ? nullptr : files.Find(static_cast<uint32_t>(vma.shmid()));
    if (file == nullptr) {
      if (!files.are_whole()) return;
      run.Add(place, prefix + "shmid", fmt::format("{}", vma.shmid()), "a file of files.img");
    } else if (file->type != pb::REG && file->type != pb::MEMFD) {
      run.Add(place, prefix + "shmid",
              fmt::format("{}, a file of type {}", file->id, FileTypeName(file->type)),
              "a file that can be mapped");
    }
  });
}

void CheckSharedMemory(CheckRun& run) {
  ForEachVma(run, [&](const CheckPlace& place, const std::string& prefix, const auto& vma) {
    const bool is_shared = (vma.status() & kVmaAnonShared) != 0;
    if (!is_shared || (vma.status() & (kVmaSysvIpc | kVmaMemfd | kVmaAioRing)) != 0) return;
    if (run.dump().Has(ImageType::kShmemPagemap, vma.shmid()) ||
        run.dump().Has(ImageType::kShmPagesOld, vma.shmid())) {
      return;
    }
    run.Add(place, prefix + "shmid", fmt::format("{}", vma.shmid()),
            ImageFileName(ImageType::kShmemPagemap, vma.shmid()));
  });
}

void CheckSysvSegments(CheckRun& run) {
  if (run.dump().ImagesOf(ImageType::kIpcVar).empty()) return;
  if (!run.dump().AreWhole(ImageType::kIpcnsShm)) return;
  std::set<uint64_t> segments;
  run.dump().ForEach<pb::ipc_shm_entry>(ImageType::kIpcnsShm,
                                        [&](const EntryRef<pb::ipc_shm_entry>& segment) {
                                          segments.insert(segment.message->desc().id());
                                        });
  ForEachVma(run, [&](const CheckPlace& place, const std::string& prefix, const auto& vma) {
    if ((vma.status() & kVmaSysvIpc) == 0 || segments.contains(vma.shmid())) return;
    run.Add(place, prefix + "shmid", fmt::format("{}", vma.shmid()),
            "the id of a segment of an ipcns-shm image");
  });
}

// As prctl(2) PR_SET_MM_MAP demands (the kernel's validate_prctl_map_addr).
void CheckMmAddresses(CheckRun& run) {
  ForEachMm(run, [&](const MmRef& ref) {
    const pb::mm_entry& mm = *ref.message;
    const auto ordered = [&](uint64_t start, uint64_t end, bool may_be_empty, const char* field) {
      if (start < end || (may_be_empty && start == end)) return;
      run.Add(ref, field, fmt::format("{:#x} to {:#x}", start, end), "an end behind the start");
    };
    ordered(mm.mm_start_code(), mm.mm_end_code(), false, "mm_end_code");
    ordered(mm.mm_start_data(), mm.mm_end_data(), true, "mm_end_data");
    ordered(mm.mm_start_brk(), mm.mm_brk(), true, "mm_brk");
    ordered(mm.mm_arg_start(), mm.mm_arg_end(), true, "mm_arg_end");
    ordered(mm.mm_env_start(), mm.mm_env_end(), true, "mm_env_end");
  });
}

void CheckAioRings(CheckRun& run) {
  ForEachMm(run, [&](const MmRef& mm) {
    std::set<uint64_t> mapped;
    for (const pb::vma_entry& vma : mm.message->vmas()) {
      if ((vma.status() & kVmaAioRing) != 0) mapped.insert(vma.start());
    }
    for (int i = 0; i < mm.message->aios_size(); ++i) {
      const uint64_t ring = mm.message->aios(i).id();
      if (mapped.contains(ring)) continue;
      run.Add(mm, fmt::format("aios[{}].id", i), fmt::format("{:#x}", ring),
              "the start of a mapping of a ring");
    }
  });
}

void CheckRegularFile(CheckRun& run, const CheckPlace& place, const char* field, uint32_t id) {
  const CheckedFile* file = run.files().Find(id);
  if (file == nullptr && run.files().are_whole()) {
    run.Add(place, field, fmt::format("{}", id), "a file of files.img");
  } else if (file != nullptr && file->type != pb::REG) {
    run.Add(place, field, fmt::format("{}, a file of type {}", id, FileTypeName(file->type)),
            "a regular file or directory");
  }
}

void CheckExe(CheckRun& run) {
  ForEachMm(run, [&](const MmRef& mm) {
    // Memory files can be run, too.
    const CheckedFile* file = run.files().Find(mm.message->exe_file_id());
    if (file != nullptr && file->type == pb::MEMFD) return;
    CheckRegularFile(run, mm, "exe_file_id", mm.message->exe_file_id());
  });
}

void CheckFs(CheckRun& run) {
  run.dump().ForEach<pb::fs_entry>(ImageType::kFs, [&](const EntryRef<pb::fs_entry>& fs) {
    CheckRegularFile(run, fs, "cwd_id", fs.message->cwd_id());
    CheckRegularFile(run, fs, "root_id", fs.message->root_id());
  });
}

using enum CheckSeverity;

constexpr CheckRule kRules[] = {
    {"vma-range", kError, "a mapping is whole pages", "MM.vmas VMAS", CheckVmaRanges},
    {"vma-order", kError, "mappings ascend and do not overlap", "MM.vmas", CheckVmaOrder},
    {"vma-status", kError, "a mapping is of a kind that can be restored", "MM.vmas VMAS",
     CheckVmaStatus},
    {"vma-file", kError, "the file of a mapping is in files.img",
     "MM.vmas VMAS FILES.id FILES.type", CheckVmaFiles},
    {"vma-shmem", kError, "shared memory has a pagemap", "MM.vmas VMAS SHMEM_PAGEMAP SHM_PAGES_OLD",
     CheckSharedMemory},
    {"vma-sysv", kError, "a mapped System V segment is in its namespace's image",
     "MM.vmas VMAS IPC_VAR IPCNS_SHM", CheckSysvSegments},
    {"mm-addresses", kError, "code, data, heap, arguments and environment end behind their start",
     "MM", CheckMmAddresses},
    {"aio-ring", kError, "an AIO ring is mapped", "MM.aios MM.vmas", CheckAioRings},
    {"exe-file", kError, "the program of a task is a regular file of files.img",
     "MM.exe_file_id FILES.id FILES.type", CheckExe},
    {"fs-file", kError, "working and root directory are in files.img", "FS FILES.id FILES.type",
     CheckFs},
};

}  // namespace

std::span<const CheckRule> MemoryRules() { return kRules; }

}  // namespace ckpt
