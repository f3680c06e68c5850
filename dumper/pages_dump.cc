#include "dumper/pages_dump.h"

#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "dumper/compressed_pages.h"
#include "dumper/dump_images.h"
#include "dumper/mappings.h"
#include "dumper/memory_headroom.h"
#include "formats/image_type.h"
#include "process/memory_use.h"

namespace ckpt {

namespace {

// Two saturate the memory of a small machine; more threads than that only take turns.
constexpr size_t kReaderThreads = 2;

// Buffers where the tree stays frozen until all is written: enough to keep the disk busy.
constexpr uint64_t kStreamBytes = uint64_t{64} << 20;

// At most a quarter of the free memory of the machine.
uint64_t BufferLimitBytes() {
  struct sysinfo info {};
  if (sysinfo(&info) != 0) return kStreamBytes;
  return std::max<uint64_t>(info.freeram * info.mem_unit / 4, kStreamBytes);
}

Result<> CheckFork(const std::vector<Mapping>& mappings, uint64_t private_bytes,
                   const SnapshotLimits& limits) {
  if (private_bytes < mappings.size() * limits.bytes_for_mapping) {
    return MakeError(ErrorCode::kUnsupported, "fork takes long with its {} mappings",
                     mappings.size());
  }
  if (std::ranges::none_of(mappings, IsLeftByFork)) return success();
  return MakeError(ErrorCode::kUnsupported, "fork leaves out some of its memory");
}

}  // namespace

Result<> PagesDump::Prepare(std::span<const pid_t> pids, const MappingsOfTree& mappings) {
  CKPT_TRY(fds_.emplace_back(), CreatePagesFile(kFirstPagesId));
  return MakeBuffers(pids, mappings);
}

// In the worst case the process changes all that it has while the snapshot is there.
bool PagesDump::IsToBeSnapshot(pid_t pid, const MappingsOfTree& mappings, uint64_t private_bytes,
                               uint64_t planned_bytes) {
  if (!options_.leaves_running || !options_.snapshots) return false;
  if (private_bytes < options_.snapshots->least_bytes) return false;
  const auto own = mappings.find(pid);
  if (own == mappings.end()) return false;
  if (const Result<> checked = CheckFork(own->second, private_bytes, *options_.snapshots);
      checked.has_error()) {
    log_.Info("process {}: no snapshot: {}", pid, checked.error().message);
    return false;
  }
  if (!mounts_) mounts_ = ReadMounts(getpid(), FallbackKernelFeatures());
  const uint64_t headroom_bytes = mounts_->has_value() ? MemoryHeadroom(pid, mounts_->value()) : 0;
  if (headroom_bytes >= planned_bytes + private_bytes + kStreamBytes) return true;
  log_.Info("process {}: no snapshot: it has {} MB, and may take {} MB", pid, private_bytes >> 20,
            headroom_bytes >> 20);
  return false;
}

Result<> PagesDump::MakeBuffers(std::span<const pid_t> pids, const MappingsOfTree& mappings) {
  const uint64_t limit_bytes = options_.leaves_running ? BufferLimitBytes() : kStreamBytes;
  uint64_t frozen_bytes = 0;
  uint64_t later_bytes = 0;
  for (const pid_t pid : pids) {
    const uint64_t private_bytes = ReadPrivateBytes(pid);
    const bool is_later = IsToBeSnapshot(pid, mappings, private_bytes, later_bytes);
    if (is_later) to_snapshot_.emplace(pid, std::nullopt);
    // What is new by the time of the freeze, too.
    (is_later ? later_bytes : frozen_bytes) += private_bytes + private_bytes / 16;
  }
  // What is read while the tree runs can be written meanwhile, but for what waits to be compressed.
  if (!options_.compression_level) later_bytes = std::min(later_bytes, kStreamBytes);
  CKPT_TRY(PageBuffers buffers,
           PageBuffers::Create(std::min(frozen_bytes + later_bytes, limit_bytes)));
  buffers_.emplace(std::move(buffers));
  stage_.emplace(*buffers_, kReaderThreads, options_.progress);
  log_.Info("{} processes in the tree, {} MB of buffers", pids.size(), buffers_->piece_count());
  return success();
}

uint64_t PagesDump::StartReading(std::deque<TaskDump>& tasks, SharedMemories& memories) {
  std::vector<PageStage::Source> sources;
  uint64_t page_count = 0;
  const auto add = [&](PageStage::Source source) {
    for (const RemoteRange& range : source.ranges) page_count += range.size_bytes() / kPageSize;
    sources.push_back(source);
    return kFirstPagesId + static_cast<uint32_t>(sources.size()) - 1;
  };
  for (TaskDump& task : tasks) {
    if (task.IsZombie()) continue;
    const auto waiting = to_snapshot_.find(task.pid());
    if (waiting != to_snapshot_.end()) waiting->second = sources.size();
    task.snapshot.pages_id = add({.memory = &task.memory(),
                                  .ranges = task.snapshot.pages,
                                  .waits = waiting != to_snapshot_.end()});
  }
  for (SharedMemory& memory : memories.memories()) {
    memory.pages_id = add({.ranges = memory.pages, .fd = memory.file.get()});
  }
  file_count_ = sources.size();
  stage_->StartReading(std::move(sources));
  return page_count;
}

Result<> PagesDump::TakeSnapshot(TaskDump& task) {
  CKPT_TRY(MemorySnapshot taken, task.TakeSnapshot());
  snapshots_.push_back(std::move(taken));
  CKPT_TRY(snapshots_.back().Settle());
  return snapshots_.back().OpenMemory();
}

Result<> PagesDump::TakeSnapshots(std::deque<TaskDump>& tasks) {
  bool has_all = true;
  for (TaskDump& task : tasks) {
    const auto wanted = to_snapshot_.find(task.pid());
    if (wanted == to_snapshot_.end() || !wanted->second) continue;
    const Result<> taken = TakeSnapshot(task);
    if (taken.has_value()) {
      stage_->ReadFrom(*wanted->second, snapshots_.back().memory());
    } else {
      log_.Info("process {}: no snapshot: {}", task.pid(), taken.error().message);
      has_all = false;
    }
  }
  if (!to_snapshot_.empty()) log_.Info("snapshots of {} processes", snapshots_.size());
  if (has_all) return success();
  stage_->Release();
  return stage_->FitsBuffers() ? success() : AllowWriting();
}

Result<int> PagesDump::CreatePagesFile(uint64_t id) {
  const bool is_compressed = options_.compression_level.has_value();
  return output_.Create(
      ImageFileName(is_compressed ? ImageType::kPagesZstd : ImageType::kPages, id), kImageMode);
}

Result<> PagesDump::CreatePagesFiles() {
  while (fds_.size() < file_count_) {
    CKPT_TRY(fds_.emplace_back(), CreatePagesFile(kFirstPagesId + fds_.size()));
  }
  return success();
}

Result<> PagesDump::AllowWriting() {
  if (std::exchange(is_writing_, true)) return success();
  if (options_.compression_level) return AllowSpooling();
  CKPT_TRY(CreatePagesFiles());
  stage_->AllowWriting(fds_);
  return success();
}

// Nothing is compressed under the freeze.
Result<> PagesDump::AllowSpooling() {
  std::vector<int> fds;
  while (spools_.size() < file_count_) {
    CKPT_TRY(UniqueFd spool, CreateSpool(options_.images_directory));
    fds.push_back(spool.get());
    spools_.push_back(std::move(spool));
  }
  stage_->AllowWriting(std::move(fds));
  return success();
}

// To the end of them.
Result<> PagesDump::ReadSnapshots() {
  stage_->Release();
  if (!stage_->FitsBuffers()) CKPT_TRY(AllowWriting());
  CKPT_TRY(stage_->FinishReading());
  for (MemorySnapshot& snapshot : snapshots_) {
    const Result<std::chrono::microseconds> ended = snapshot.End();
    if (ended.has_error()) {
      log_.Warning("a zombie stays of a snapshot: {}", ended.error().message);
    } else {
      stopped_ += ended.value();
    }
  }
  snapshots_.clear();
  return success();
}

Result<> PagesDump::Write() {
  if (!options_.compression_level) {
    CKPT_TRY(AllowWriting());
    CKPT_TRY(ReadSnapshots());
    return stage_->Finish();
  }
  CKPT_TRY(ReadSnapshots());
  CKPT_TRY(CreatePagesFiles());
  const CompressionOptions compression = {.level = *options_.compression_level,
                                          .progress = options_.progress};
  if (stage_->FitsBuffers()) return CompressBuffers(*stage_, fds_, compression);
  CKPT_TRY(stage_->Finish());
  return CompressSpools(spools_, fds_, compression);
}

}  // namespace ckpt
