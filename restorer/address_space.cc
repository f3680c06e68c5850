#include "restorer/address_space.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <climits>
#include <span>
#include <string>
#include <vector>

#include "restorer/given_pages.h"
#include "restorer/inherited_memory.h"

namespace ckpt {

namespace {

// linux/mman.h, Linux 6.13.
constexpr int kMadvGuardInstall = 102;

// preadv(2) takes less than 2 GiB at a time; smaller calls let the task be interrupted in between.
constexpr uint64_t kMostReadBytes = uint64_t{256} << 20;

using Kind = MappingPlan::Kind;

std::string Text(const RemoteRange& range) {
  return fmt::format("{:#x}-{:#x}", range.start, range.end);
}

bool IsMapped(const RestoredTask& task, const MappingPlan& mapping) {
  if (mapping.kind == Kind::kVvar) return false;
  return mapping.kind != Kind::kVdso || task.patched_vdso.has_value();
}

int DescriptorOf(const RestoredTask& task, const MappingPlan& mapping) {
  if (mapping.kind == Kind::kFile) return task.files->Mapped(mapping.file_id, mapping.file_access);
  if (mapping.kind == Kind::kSharedMemory) return task.files->SharedMemory(mapping.shared_id);
  return -1;
}

Result<> AddMapping(const RestoredTask& task, const MappingPiece& piece, RemoteCalls& calls) {
  const MappingPlan& mapping = *piece.mapping;
  if (!IsMapped(task, mapping)) return success();
  const uint64_t offset = mapping.file_offset + (piece.range.start - mapping.range.start);
  CKPT_TRY(calls.MakeRoom(1, 0));
  calls.Add(fmt::format("mmap of {}", Text(piece.range)), SYS_mmap,
            {piece.range.start, piece.range.size_bytes(), ProtectionWhileFilling(mapping),
             mapping.flags | MAP_FIXED_NOREPLACE, DescriptorOf(task, mapping), offset},
            static_cast<int64_t>(piece.range.start));
  return success();
}

// Pages that lie one after the other in a pages image, wherever they lie in memory: one preadv(2).
class ReadCall {
 public:
  bool Takes(const PagesPlan& run) const {
    if (ranges_.empty()) return true;
    return ranges_.size() < IOV_MAX && run.source == source_ &&
           run.offset_bytes == offset_ + size_bytes_ &&
           size_bytes_ + run.range.size_bytes() <= kMostReadBytes;
  }
  void Take(const PagesPlan& run) {
    if (ranges_.empty()) {
      source_ = run.source;
      offset_ = run.offset_bytes;
    }
    ranges_.push_back({std::bit_cast<void*>(run.range.start), run.range.size_bytes()});
    size_bytes_ += run.range.size_bytes();
  }
  Result<> AddTo(const RestoredTask& task, RemoteCalls& calls) {
    if (ranges_.empty()) return success();
    const Bytes bytes = std::as_bytes(std::span(ranges_));
    CKPT_TRY(calls.MakeRoom(1, bytes.size()));
    const RemotePtr iovecs = calls.PutBytes(bytes);
    calls.Add(
        fmt::format("preadv of {} bytes from byte {} of the pages image", size_bytes_, offset_),
        SYS_preadv, {task.files->Pages(source_), iovecs, ranges_.size(), offset_, 0},
        static_cast<int64_t>(size_bytes_));
    *this = ReadCall();
    return success();
  }

 private:
  size_t source_ = 0;
  uint64_t offset_ = 0;
  uint64_t size_bytes_ = 0;
  std::vector<iovec> ranges_;
};

Result<> AddReads(const RestoredTask& task, std::span<const PagesPlan> pages, RemoteCalls& calls) {
  ReadCall read;
  for (PagesPlan run : pages) {
    if (task.files->compressed()[run.source]) continue;  // GivePages()
    while (run.range.start < run.range.end) {
      PagesPlan piece = run;
      piece.range.end = std::min(run.range.end, run.range.start + kMostReadBytes);
      if (!read.Takes(piece)) CKPT_TRY(read.AddTo(task, calls));
      read.Take(piece);
      run.range.start = piece.range.end;
      run.offset_bytes += piece.range.size_bytes();
    }
  }
  return read.AddTo(task, calls);
}

// Of memory that was inherited.
Result<> AddChanges(const RestoredTask& task, const InheritancePlan& plan, RemoteCalls& calls) {
  for (const RemoteRange& range : plan.unmapped) {
    CKPT_TRY(calls.Call(fmt::format("munmap of {}", Text(range)), SYS_munmap,
                        {range.start, range.size_bytes()}));
  }
  for (const MappingPiece& piece : plan.mapped) CKPT_TRY(AddMapping(task, piece, calls));
  for (const MappingPiece& piece : plan.reprotected) {
    CKPT_TRY(calls.Call(
        fmt::format("mprotect of {}", Text(piece.range)), SYS_mprotect,
        {piece.range.start, piece.range.size_bytes(), ProtectionWhileFilling(*piece.mapping)}));
  }
  for (const RemoteRange& range : plan.dropped) {
    CKPT_TRY(calls.Call(fmt::format("madvise of {} with MADV_DONTNEED", Text(range)), SYS_madvise,
                        {range.start, range.size_bytes(), MADV_DONTNEED}));
  }
  return success();
}

Result<> AddAdvice(const MappingPlan& mapping, RemoteCalls& calls) {
  for (const int advice : mapping.advice) {
    CKPT_TRY(calls.MakeRoom(1, 0));
    calls.AddWanted(fmt::format("madvise of {} with {}", Text(mapping.range), advice), SYS_madvise,
                    {mapping.range.start, mapping.range.size_bytes(), advice});
  }
  return success();
}

prctl_mm_map LayoutOf(const MemoryLayoutPlan& plan) {
  prctl_mm_map map{};
  map.start_code = plan.start_code;
  map.end_code = plan.end_code;
  map.start_data = plan.start_data;
  map.end_data = plan.end_data;
  map.start_brk = plan.start_brk;
  map.brk = plan.brk;
  map.start_stack = plan.start_stack;
  map.arg_start = plan.arg_start;
  map.arg_end = plan.arg_end;
  map.env_start = plan.env_start;
  map.env_end = plan.env_end;
  return map;
}

}  // namespace

Result<> MapMemory(RestoredTask& task) {
  RemoteCalls calls = task.Calls(task.plan->memory.mappings.size());
  for (const MappingPlan& mapping : task.plan->memory.mappings) {
    CKPT_TRY(AddMapping(task, {&mapping, mapping.range}, calls));
  }
  return calls.Flush();
}

Result<> FillMemory(RestoredTask& task) {
  RemoteCalls calls = task.Calls();
  CKPT_TRY(AddReads(task, task.plan->memory.pages, calls));
  CKPT_TRY(calls.Flush());
  return GivePages(task, task.plan->memory.pages);
}

Result<> ChangeInheritedMemory(RestoredTask& task, const RestoredTask& maker,
                               const MappedPages& pages) {
  const InheritancePlan plan =
      PlanInheritance(maker.plan->memory, task.plan->memory,
                      [&](const PagesPlan& a, const PagesPlan& b) { return pages.IsSame(a, b); });
  RemoteCalls calls = task.Calls(plan.unmapped.size() + plan.mapped.size() +
                                 plan.reprotected.size() + plan.dropped.size());
  CKPT_TRY(AddChanges(task, plan, calls));
  CKPT_TRY(AddReads(task, plan.written, calls));
  CKPT_TRY(calls.Flush());
  return GivePages(task, plan.written);
}

Result<> ProtectMemory(RestoredTask& task) {
  const AddressSpacePlan& plan = task.plan->memory;
  RemoteCalls calls = task.Calls(2 * plan.mappings.size() + plan.guards.size());
  for (const MappingPlan& mapping : plan.mappings) {
    if (!IsMapped(task, mapping)) continue;
    if (ProtectionWhileFilling(mapping) != mapping.protection) {
      CKPT_TRY(calls.Call(fmt::format("mprotect of {}", Text(mapping.range)), SYS_mprotect,
                          {mapping.range.start, mapping.range.size_bytes(), mapping.protection}));
    }
    CKPT_TRY(AddAdvice(mapping, calls));
  }
  for (const RemoteRange& guard : plan.guards) {
    CKPT_TRY(calls.MakeRoom(1, 0));
    calls.AddWanted(fmt::format("guard region {}: this kernel may have none: madvise", Text(guard)),
                    SYS_madvise, {guard.start, guard.size_bytes(), kMadvGuardInstall});
  }
  CKPT_TRY(calls.Flush());
  for (const std::string& warning : calls.warnings()) task.log->Warning("{}", warning);
  return success();
}

Result<> SetMemoryLayout(RestoredTask& task) {
  const MemoryLayoutPlan& plan = task.plan->memory.layout;
  RemoteCalls calls = task.Calls();
  const Bytes auxv = std::as_bytes(std::span(plan.auxv));
  prctl_mm_map map = LayoutOf(plan);
  CKPT_TRY(calls.MakeRoom(2, auxv.size() + sizeof(map) + 64));
  map.auxv = std::bit_cast<__u64*>(calls.PutBytes(auxv).address());
  map.auxv_size = static_cast<__u32>(auxv.size());
  map.exe_fd = static_cast<__u32>(task.files->Mapped(plan.exe_file_id, O_RDONLY));
  const RemotePtr remote_map = calls.PutObject(map);
  calls.Add("prctl(PR_SET_MM, PR_SET_MM_MAP): memory layout and executable", SYS_prctl,
            {PR_SET_MM, PR_SET_MM_MAP, remote_map, sizeof(map), 0});
  calls.Add("prctl(PR_SET_THP_DISABLE)", SYS_prctl,
            {PR_SET_THP_DISABLE, plan.thp_disabled ? 1 : 0, 0, 0, 0});
  return calls.Flush();
}

}  // namespace ckpt
