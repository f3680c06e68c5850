#include "restorer/take_over.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "process/kernel_features.h"
#include "process/maps.h"
#include "restorer/address_hole.h"
#include "restorer/vdso_step.h"

namespace ckpt {

namespace {

// Room for the calls that map 4,096 areas in one batch, or for many vectors of preadv(2).
constexpr size_t kBatchBytes = size_t{1} << 20;

std::vector<RemoteRange> RangesOf(std::span<const Mapping> mappings) {
  std::vector<RemoteRange> ranges;
  for (const Mapping& mapping : mappings) ranges.push_back({mapping.start, mapping.end});
  return ranges;
}

void AddPlannedRanges(const AddressSpacePlan& plan, std::vector<RemoteRange>& ranges) {
  for (const MappingPlan& mapping : plan.mappings) ranges.push_back(mapping.range);
  // The heap may be empty, and grows.
  ranges.push_back({plan.layout.start_brk, std::max(plan.layout.start_brk, plan.layout.brk)});
}

// Executable memory of the stub, its vdso first: there is a `syscall` instruction in it.
std::vector<RemoteRange> Executable(std::span<const Mapping> mappings) {
  std::vector<RemoteRange> ranges;
  for (const Mapping& mapping : mappings) {
    if (!mapping.executable || !mapping.readable) continue;
    const bool is_vdso = SpecialMappingOf(mapping) == SpecialMapping::kVdso;
    ranges.insert(is_vdso ? ranges.begin() : ranges.end(), {mapping.start, mapping.end});
  }
  return ranges;
}

// What the C library registered in the restorer is registered in its copy, too, and would be
// written to after its memory is gone.
Result<> UnregisterRseq(RestoredTask& task) {
  CKPT_TRY(const std::optional<RseqConfiguration> known, task.stub.leader().GetRseqConfiguration());
  RseqConfiguration rseq;
  if (known) {
    rseq = *known;
  } else if (__rseq_size != 0) {  // a kernel that cannot tell: what the C library did
    rseq.abi_pointer = reinterpret_cast<uint64_t>(__builtin_thread_pointer()) +
                       static_cast<uint64_t>(__rseq_offset);
    rseq.abi_size_bytes = 32;
    rseq.signature = RSEQ_SIG;
  }
  if (rseq.abi_pointer == 0) return success();
  RemoteCalls calls = task.Calls();
  CKPT_TRY(calls.Call(
      "rseq(RSEQ_FLAG_UNREGISTER)", SYS_rseq,
      {rseq.abi_pointer, rseq.abi_size_bytes, int{RSEQ_FLAG_UNREGISTER}, rseq.signature}));
  return calls.Flush();
}

}  // namespace

Result<> TakeOver(RestoredTask& task, const RestorePlan& plan) {
  CKPT_TRY(const std::vector<Mapping> mappings,
           ReadMappings(task.stub.pid(), FallbackKernelFeatures()));
  task.occupied = RangesOf(mappings);
  for (const TaskPlan& each : plan.tasks) AddPlannedRanges(each.memory, task.occupied);
  CKPT_TRY(const RemoteRange hole, FindHole(task.occupied, kPageSize + kBatchBytes));
  task.occupied.push_back(hole);
  CKPT_TRY(RemoteMemory memory, RemoteMemory::Open(task.stub.pid()));
  task.memory = std::make_unique<RemoteMemory>(std::move(memory));
  CKPT_TRY(task.vdso, FindRunningVdso(mappings, *task.memory));
  const RemoteSyscalls::Options options{.address = hole.start, .batch_bytes = kBatchBytes};
  CKPT_TRY(RemoteSyscalls engine, RemoteSyscalls::Install(task.stub.leader(), *task.memory,
                                                          Executable(mappings), options));
  task.engine = engine;
  task.log->Debug("process {}: scratch area at {:#x}", task.stub.pid(), hole.start);
  return UnregisterRseq(task);
}

Result<> LeaveDescriptors(RestoredTask& task) {
  RemoteCalls calls = task.Calls();
  CKPT_TRY(calls.Call("unshare(CLONE_FILES)", SYS_unshare, {CLONE_FILES}));
  return calls.Flush();
}

Result<> ClearAddressSpace(RestoredTask& task) {
  CKPT_TRY(ParkVdso(task));
  CKPT_TRY(const std::vector<Mapping> mappings,
           ReadMappings(task.stub.pid(), FallbackKernelFeatures()));
  std::vector<RemoteRange> kept = task.vdso.pieces;
  kept.push_back(task.engine->scratch());
  RemoteCalls calls = task.Calls();
  for (const Mapping& mapping : mappings) {
    if (SpecialMappingOf(mapping) == SpecialMapping::kVsyscall)
      kept.push_back({mapping.start, mapping.end});
  }
  for (const RemoteRange& range : Subtract(RangesOf(mappings), kept)) {
    CKPT_TRY(calls.Call(fmt::format("munmap of {:#x}-{:#x}", range.start, range.end), SYS_munmap,
                        {range.start, range.size_bytes()}));
  }
  return calls.Flush();
}

}  // namespace ckpt
