#include "dumper/task_dump.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "dumper/preconditions.h"
#include "dumper/process_state.h"
#include "dumper/thread_state.h"
#include "process/pagemap.h"
#include "process/rseq_section.h"
#include "process/task_list.h"

namespace ckpt {

namespace {

// To look at so many for guard pages takes less time than a call for each mapping.
constexpr int64_t kFewPages = 4096;

// Whether a SIGTRAP can be told from the task's own, and changes nothing.
bool CanStep(const TaskStatus& status) {
  const uint64_t in_the_way = status.signal_ignored | status.signal_pending | status.shared_pending;
  return (in_the_way & (uint64_t{1} << (SIGTRAP - 1))) == 0;
}

}  // namespace

Result<> RehearseTask(pid_t pid, const KernelFeatures& features) {
  CKPT_TRY(const TaskStat stat, ReadTaskStat(pid));
  CKPT_TRY(const std::vector<pid_t> tids, ListThreads(pid));
  for (const pid_t tid : tids) static_cast<void>(ReadTaskStatus(pid, tid));
  CKPT_TRY(RemoteMemory::Open(pid));
  CKPT_TRY(PagemapReader::Open(pid, features));
  CKPT_TRY(ReadPosixTimers(pid));
  return RehearseProcess(pid, stat);
}

Result<> TaskDump::Identify() {
  CKPT_TRY(stat_, ReadTaskStat(pid()));
  snapshot.is_zombie = IsZombie();
  if (IsZombie()) {
    CKPT_TRY(statuses_.emplace_back(), ReadTaskStatus(pid()));
    snapshot.cores.push_back(BuildZombieCore(stat_));
  } else {
    for (const Tracee& thread : process().threads()) {
      CKPT_TRY(statuses_.emplace_back(), ReadTaskStatus(pid(), thread.tid()));
    }
    CKPT_TRY(RemoteMemory memory, RemoteMemory::Open(pid()));
    memory_.emplace(std::move(memory));
  }
  snapshot.tree = BuildTreeEntry(statuses_);
  return success();
}

Result<> TaskDump::Check(Refusals& refusals) {
  if (!IsZombie()) CheckPreconditions(statuses_, refusals);
  return success();
}

Result<> TaskDump::ListMappings() {
  if (IsZombie()) return success();
  CKPT_TRY(mappings_, ReadMappings(pid(), features_));
  return success();
}

Result<> TaskDump::AddSmaps(std::vector<Mapping> smaps) {
  if (!mappings_.empty()) return AddUsage(smaps, mappings_);
  mappings_ = std::move(smaps);
  return success();
}

Result<> TaskDump::FindPages() {
  if (IsZombie()) return success();
  CKPT_TRY(PagemapReader pagemap, PagemapReader::Open(pid(), features_));
  pagemap_.emplace(std::move(pagemap));
  for (const PagesToDump& source : FindPagesToDump(mappings_)) {
    if (source.whole) {
      AppendRange(source.range, snapshot.pages);
    } else {
      CKPT_TRY(pagemap_->Scan(source.range, source.selection, snapshot.pages));
    }
  }
  return success();
}

Result<> TaskDump::Collect(FileTable& files, Refusals& refusals) {
  if (IsZombie()) return success();
  CKPT_TRY(CollectDirectories(pid(), files, refusals, &snapshot.mm, &snapshot.fs));
  snapshot.fs.set_umask(statuses_.front().umask);
  CKPT_TRY(RefuseGuardPages(refusals));
  CKPT_TRY(CollectedMappings mapped, CollectMappings(pid(), mappings_, files, refusals));
  mapped_files_ = std::move(mapped.files);
  for (pb::vma_entry& vma : mapped.vmas) *snapshot.mm.add_vmas() = std::move(vma);
  return success();
}

Result<> TaskDump::RefuseGuardPages(Refusals& refusals) {
  std::vector<RemoteRange> with_holes = FindRangesWithHoles(mappings_);
  if (with_holes.empty()) return success();
  if (features_.pagemap_scan && stat_.rss_pages < kFewPages) {
    with_holes = {{with_holes.front().start, with_holes.back().end}};
  }
  std::vector<RemoteRange> guards;
  for (const RemoteRange& range : with_holes) {
    CKPT_TRY(pagemap_->Scan(range, PageSelection::kGuard, guards));
  }
  for (const RemoteRange& guard : guards) {
    refusals.Add("guard pages {:#x}-{:#x} (MADV_GUARD_INSTALL): not supported yet", guard.start,
                 guard.end);
  }
  return success();
}

Result<> TaskDump::InstallEngine() {
  if (IsZombie()) return success();
  for (const Tracee& thread : process().threads()) {
    CKPT_TRY(const auto rseq, thread.GetRseqConfiguration());
    if (rseq) CKPT_TRY(AbortRseqSection(thread, *memory_, *rseq));
  }
  CKPT_TRY(posix_timers_, ReadPosixTimers(pid()));
  // /proc tells our number of the thread that a timer notifies.
  for (PosixTimer& timer : posix_timers_) {
    const auto thread = std::ranges::find(statuses_, timer.notify_id, &TaskStatus::pid);
    if (thread != statuses_.end()) timer.notify_id = thread->ns_pid.back();
  }
  RemoteSyscalls::Options options;
  options.batch_bytes = ProcessBatchBytes(posix_timers_.size());
  options.can_step = CanStep(statuses_.front());
  CKPT_TRY(RemoteSyscalls engine,
           RemoteSyscalls::Install(process().leader(), *memory_, FindExecutableRanges(mappings_),
                                   options));
  engine_.emplace(engine);
  return success();
}

Result<> TaskDump::AskThreads() {
  if (IsZombie()) return success();
  const std::span<Tracee> threads = process().threads();
  CKPT_TRY(threads_, ReadThreads(threads, statuses_));
  snapshot.cores.resize(threads_.size());
  CKPT_TRY(CollectProcess(process(), stat_, *engine_, posix_timers_, &threads_.front(),
                          snapshot.cores.front().mutable_tc(), &snapshot.mm));
  CKPT_TRY(ckpt::AskThreads(threads.subspan(1), *engine_, std::span(threads_).subspan(1)));
  snapshot.cores.front().mutable_tc()->set_blk_sigset(threads_.front().signal_mask);
  return success();
}

Result<> TaskDump::FillThreads() {
  for (size_t i = 0; i < threads_.size(); ++i) {
    CKPT_TRY(FillThread(threads_[i], &snapshot.cores[i]));
  }
  return success();
}

Result<MemorySnapshot> TaskDump::TakeSnapshot() {
  for (const Mapping& mapping : mappings_) {
    if (IsLeftByFork(mapping)) {
      return MakeError(ErrorCode::kUnsupported,
                       "fork leaves out {:#x}-{:#x} (MADV_DONTFORK or MADV_WIPEONFORK)",
                       mapping.start, mapping.end);
    }
  }
  return MemorySnapshot::Take(process().leader(), *engine_);
}

Result<> TaskDump::RemoveEngine() {
  if (!engine_) return success();
  return engine_->Uninstall(process().leader());
}

}  // namespace ckpt
