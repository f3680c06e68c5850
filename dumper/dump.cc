#include "dumper/dump.h"

#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <future>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/staged_file_set.h"
#include "dumper/dump_images.h"
#include "dumper/mappings.h"
#include "dumper/mount_entries.h"
#include "dumper/preconditions.h"
#include "dumper/process_state.h"
#include "dumper/raw_facts.h"
#include "dumper/snapshot.h"
#include "dumper/thread_state.h"
#include "formats/image_type.h"
#include "process/frozen_process.h"
#include "process/maps.h"
#include "process/pagemap.h"
#include "process/posix_timers.h"
#include "process/remote_syscalls.h"
#include "process/rseq_section.h"
#include "process/task_stat.h"
#include "process/union_mounts.h"

namespace ckpt {

namespace {

using Clock = std::chrono::steady_clock;

// Two saturate the memory of a small machine; more threads than that only take turns.
constexpr size_t kReaderThreads = 2;

// Buffers where the process stays frozen until all is written: enough to keep the disk busy.
constexpr uint64_t kStreamBytes = uint64_t{64} << 20;

uint32_t MicrosecondsSince(Clock::time_point start) {
  return static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count());
}

// The private memory of the process before the freeze, to size the buffers by.
uint64_t EstimatePrivateBytes(const std::vector<Mapping>& mappings) {
  uint64_t size_bytes = 0;
  for (const Mapping& mapping : mappings) {
    if (mapping.usage) size_bytes += mapping.usage->anonymous_bytes + mapping.usage->swap_bytes;
  }
  return size_bytes;
}

// At most a quarter of the free memory of the machine.
uint64_t BufferLimitBytes() {
  struct sysinfo info {};
  if (sysinfo(&info) != 0) return kStreamBytes;
  return std::max<uint64_t>(info.freeram * info.mem_unit / 4, kStreamBytes);
}

// A dump in the making. Members are in the order in which they are needed; destruction in the
// reverse order gives up the pages, thaws the process and removes what was staged.
class DumpRun {
 public:
  DumpRun(const DumpOptions& options, Log& log)
      : options_(options), log_(log), output_(options.images_directory) {}

  Result<pb::dump_stats_entry> Run() {
    CKPT_TRY(Step("prepare", &DumpRun::Prepare));
    CKPT_TRY(Step("freeze", &DumpRun::Freeze));
    CKPT_TRY(Step("check", &DumpRun::Check));
    CKPT_TRY(Step("collect", &DumpRun::Collect));
    CKPT_TRY(Step("infect", &DumpRun::InstallEngine));
    Result<> told = Step("threads", &DumpRun::AskThreads);
    log_.Debug("step cure");
    CKPT_TRY(engine_->Uninstall(process_->leader()));
    CKPT_TRY(told);
    CKPT_TRY(Step("pages", &DumpRun::ReadPages));
    if (options_.after == AfterDump::kLeaveRunning) CKPT_TRY(Thaw());
    CKPT_TRY(Step("images", &DumpRun::WriteImages));
    CKPT_TRY(Step("commit", &DumpRun::Commit));
    CKPT_TRY(Step("release", &DumpRun::Release));
    log_.Summary("process {} dumped: frozen for {} us, {} pages", options_.pid,
                 snapshot_.stats.frozen_time(), snapshot_.stats.pages_written());
    return snapshot_.stats;
  }

 private:
  Result<> Step(std::string_view name, Result<> (DumpRun::*take)()) {
    log_.Debug("step {}", name);
    if (options_.before_step) CKPT_TRY(options_.before_step(name));
    return (this->*take)();
  }

  Result<> Prepare() {
    CKPT_TRY(CheckBeforeFreeze(options_.pid));
    const std::string inventory =
        fmt::format("{}/{}", options_.images_directory, ImageFileName(ImageType::kInventory));
    if (access(inventory.c_str(), F_OK) == 0) {
      return MakeError(ErrorCode::kUsage, "{} is there: the directory holds a dump already",
                       inventory);
    }
    CKPT_TRY(pages_fd_, output_.Create(ImageFileName(ImageType::kPages, kPagesId), kImageMode));
    CKPT_TRY(const std::vector<Mapping> mappings, ReadSmaps(options_.pid));
    const uint64_t private_bytes = EstimatePrivateBytes(mappings);
    uint64_t buffer_bytes = private_bytes * 17 / 16;
    const bool frees_early = options_.after == AfterDump::kLeaveRunning;
    buffer_bytes = std::min(buffer_bytes, frees_early ? BufferLimitBytes() : kStreamBytes);
    CKPT_TRY(PageBuffers buffers, PageBuffers::Create(buffer_bytes));
    buffers_.emplace(std::move(buffers));
    stage_.emplace(*buffers_, pages_fd_, kReaderThreads, options_.progress);
    log_.Info("process {}: {} mappings, {} MB of buffers", options_.pid, mappings.size(),
              buffers_->piece_count());
    // The namespace is ours, and what is mounted in it is no state of the process.
    CKPT_TRY(mounts_, ReadMounts(getpid(), options_.features));
    snapshot_.mounts = BuildMountEntries(mounts_);
    CKPT_TRY(unions_, FindUnionMounts(mounts_, UnionSources{}));
    Rehearse(mappings);
    return success();
  }

  // Looks at what the freeze will look at, so that the kernel has its names of /proc in memory
  // then, and we our code. The process runs: what is seen, and what fails, means nothing.
  void Rehearse(const std::vector<Mapping>& mappings) const {
    FileTable files;
    Refusals refusals;
    Snapshot unused;
    static_cast<void>(CollectMappings(options_.pid, mappings, files, refusals));
    static_cast<void>(CollectDescriptors(options_.pid, files, refusals));
    static_cast<void>(CollectDirectories(options_.pid, files, refusals, &unused.mm, &unused.fs));
    static_cast<void>(ReadPosixTimers(options_.pid));
  }

  Result<> Freeze() {
    const auto start = Clock::now();
    CKPT_TRY(FrozenProcess process, FrozenProcess::Freeze(options_.pid));
    frozen_since_ = Clock::now();
    snapshot_.stats.set_freezing_time(MicrosecondsSince(start));
    process_.emplace(std::move(process));
    // smaps walks the page tables for its sizes: that goes on beside the rest.
    smaps_ = std::async(std::launch::async, [pid = options_.pid] { return ReadSmaps(pid); });
    log_.Info("process {}: {} threads frozen", options_.pid, process_->threads().size());
    CKPT_TRY(RemoteMemory memory, RemoteMemory::Open(options_.pid));
    memory_.emplace(std::move(memory));
    return success();
  }

  Result<> Check() {
    CKPT_TRY(stat_, ReadTaskStat(options_.pid));
    snapshot_.tree = BuildTree(*process_, stat_);
    return CheckPreconditions(*process_, stat_, refusals_);
  }

  // All that can be seen from outside.
  Result<> Collect() {
    const pid_t pid = options_.pid;
    CKPT_TRY(mappings_, ReadMappings(pid, options_.features));
    CKPT_TRY(ScanAndReadPages());
    CKPT_TRY(CollectFiles());
    CKPT_TRY(const std::vector<Mapping> usage, smaps_.get());
    CKPT_TRY(AddUsage(usage, mappings_));
    CKPT_TRY(RefuseGuardPages());
    CKPT_TRY(CollectedMappings mapped, CollectMappings(pid, mappings_, snapshot_.files, refusals_));
    CKPT_TRY(refusals_.AsResult(pid));
    if (!stage_->FitsBuffers()) stage_->AllowWriting();
    snapshot_.raw_facts = BuildRawFacts(pid, kMntNsId, mounts_, unions_, mappings_, mapped.files);
    for (pb::vma_entry& vma : mapped.vmas) *snapshot_.mm.add_vmas() = std::move(vma);
    return success();
  }

  Result<> CollectFiles() {
    const pid_t pid = options_.pid;
    CKPT_TRY(snapshot_.descriptors, CollectDescriptors(pid, snapshot_.files, refusals_));
    CKPT_TRY(CollectDirectories(pid, snapshot_.files, refusals_, &snapshot_.mm, &snapshot_.fs));
    // The mounts of the namespace, which is ours: not of the root that the process may have
    // changed.
    CKPT_TRY(mounts_, ReadMounts(getpid(), options_.features));
    snapshot_.mounts = BuildMountEntries(mounts_);
    CKPT_TRY(unions_, FindUnionMounts(mounts_, UnionSources{}));
    return success();
  }

  Result<> ScanAndReadPages() {
    CKPT_TRY(const PagemapReader pagemap, PagemapReader::Open(options_.pid, options_.features));
    std::vector<RemoteRange>& pages = snapshot_.pages;
    for (const PagesToDump& source : FindPagesToDump(mappings_)) {
      if (source.whole) {
        pages.push_back(source.range);
        continue;
      }
      CKPT_TRY(pagemap.Scan(source.range, source.selection, pages));
    }
    uint64_t page_count = 0;
    for (const RemoteRange& range : pages) page_count += range.size_bytes() / kPageSize;
    snapshot_.stats.set_pages_scanned(page_count);
    snapshot_.stats.set_pages_written(page_count);
    snapshot_.stats.set_pages_skipped_parent(0);
    snapshot_.stats.set_pages_lazy(0);
    // From here on the pages are read beside all else.
    reading_since_ = Clock::now();
    stage_->StartReading(*memory_, pages);
    return success();
  }

  Result<> RefuseGuardPages() {
    CKPT_TRY(const PagemapReader pagemap, PagemapReader::Open(options_.pid, options_.features));
    std::vector<RemoteRange> guards;
    for (const RemoteRange& range : FindRangesWithHoles(mappings_)) {
      CKPT_TRY(pagemap.Scan(range, PageSelection::kGuard, guards));
    }
    for (const RemoteRange& guard : guards) {
      refusals_.Add("guard pages {:#x}-{:#x} (MADV_GUARD_INSTALL): not supported yet", guard.start,
                    guard.end);
    }
    return success();
  }

  std::vector<RemoteRange> ExecutableRanges() const {
    std::vector<RemoteRange> ranges;
    for (const Mapping& mapping : mappings_) {
      const SpecialMapping special = SpecialMappingOf(mapping);
      if (!mapping.executable || special == SpecialMapping::kVsyscall) continue;
      const bool vdso = special == SpecialMapping::kVdso;
      ranges.insert(vdso ? ranges.begin() : ranges.end(), {mapping.start, mapping.end});
    }
    return ranges;
  }

  Result<> InstallEngine() {
    for (const Tracee& thread : process_->threads()) {
      CKPT_TRY(const auto rseq, thread.GetRseqConfiguration());
      if (rseq) CKPT_TRY(AbortRseqSection(thread, *memory_, *rseq));
    }
    CKPT_TRY(posix_timers_, ReadPosixTimers(options_.pid));
    RemoteSyscalls::Options engine_options;
    engine_options.batch_bytes = ProcessBatchBytes(posix_timers_.size());
    CKPT_TRY(RemoteSyscalls engine, RemoteSyscalls::Install(process_->leader(), *memory_,
                                                            ExecutableRanges(), engine_options));
    engine_.emplace(engine);
    return success();
  }

  Result<> AskThreads() {
    for (Tracee& thread : process_->threads()) {
      CKPT_TRY(CollectThread(options_.pid, thread, *engine_, &snapshot_.cores.emplace_back()));
    }
    return CollectProcess(*process_, stat_, *engine_, posix_timers_, &snapshot_.cores.front(),
                          &snapshot_.mm);
  }

  Result<> ReadPages() {
    CKPT_TRY(stage_->FinishReading());
    snapshot_.stats.set_memdump_time(MicrosecondsSince(reading_since_));
    return success();
  }

  Result<> Thaw() {
    CKPT_TRY(process_->Thaw());
    snapshot_.stats.set_frozen_time(MicrosecondsSince(frozen_since_));
    return success();
  }

  Result<> WriteImages() {
    const auto start = Clock::now();
    CKPT_TRY(stage_->Finish());
    snapshot_.stats.set_memwrite_time(MicrosecondsSince(start));
    if (options_.after != AfterDump::kLeaveRunning) {
      snapshot_.stats.set_frozen_time(MicrosecondsSince(frozen_since_));
    }
    return AddImages(snapshot_, output_);
  }

  Result<> Commit() { return output_.Commit(); }

  Result<> Release() {
    switch (options_.after) {
      case AfterDump::kKill:
        return process_->Kill();
      case AfterDump::kLeaveStopped:
        kill(options_.pid, SIGSTOP);
        return process_->Thaw();
      case AfterDump::kLeaveRunning:
        break;
    }
    return success();
  }

  const DumpOptions& options_;
  Log& log_;
  Snapshot snapshot_;
  Refusals refusals_;
  StagedFileSet output_;
  int pages_fd_ = -1;
  std::optional<PageBuffers> buffers_;
  std::optional<FrozenProcess> process_;
  Clock::time_point frozen_since_;
  Clock::time_point reading_since_;
  std::optional<RemoteMemory> memory_;
  TaskStat stat_;
  std::future<Result<std::vector<Mapping>>> smaps_;
  std::vector<Mount> mounts_;
  std::vector<UnionMount> unions_;
  std::vector<Mapping> mappings_;
  std::vector<PosixTimer> posix_timers_;
  std::optional<RemoteSyscalls> engine_;
  std::optional<PageStage> stage_;
};

}  // namespace

Result<pb::dump_stats_entry> Dump(const DumpOptions& options, Log& log) {
  return DumpRun(options, log).Run();
}

}  // namespace ckpt
