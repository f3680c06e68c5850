#include "dumper/pages_dump.h"

#include <sys/sysinfo.h>

#include <algorithm>
#include <utility>

#include "dumper/compressed_pages.h"
#include "dumper/dump_images.h"
#include "formats/image_type.h"
#include "process/memory_use.h"
#include "process/task_list.h"

namespace ckpt {

namespace {

// Two saturate the memory of a small machine; more threads than that only take turns.
constexpr size_t kReaderThreads = 2;

// Buffers where the tree stays frozen until all is written: enough to keep the disk busy.
constexpr uint64_t kStreamBytes = uint64_t{64} << 20;

// A process with less is read under the freeze as fast as it, and each of its threads, could be
// stopped for a copy.
constexpr uint64_t kEarlyBytes = uint64_t{32} << 20;
constexpr uint64_t kEarlyThreadBytes = uint64_t{512} << 10;

bool IsWorthACopy(pid_t pid, uint64_t private_bytes) {
  if (private_bytes < kEarlyBytes) return false;
  const Result<std::vector<pid_t>> threads = ListThreads(pid);
  return threads.has_value() && private_bytes >= threads.value().size() * kEarlyThreadBytes;
}

// At most a quarter of the free memory of the machine.
uint64_t BufferLimitBytes() {
  struct sysinfo info {};
  if (sysinfo(&info) != 0) return kStreamBytes;
  return std::max<uint64_t>(info.freeram * info.mem_unit / 4, kStreamBytes);
}

}  // namespace

Result<> PagesDump::Prepare(std::span<const pid_t> pids) {
  CKPT_TRY(fds_.emplace_back(), CreatePagesFile(kFirstPagesId));
  return MakeBuffers(pids);
}

// A process that cannot be copied, for whatever reason, is read under the freeze.
void PagesDump::CopyEarly(pid_t pid, uint64_t private_bytes, uint64_t limit_bytes) {
  if (private_bytes > limit_bytes || !IsWorthACopy(pid, private_bytes)) return;
  Result<EarlyPages> early =
      EarlyPages::Copy(pid, options_.features, limit_bytes,
                       [this](std::chrono::microseconds time) { stopped_ += time; });
  if (early.has_value()) {
    log_.Info("process {}: {} MB copied before the freeze", pid, early.value().size_bytes() >> 20);
    early_.emplace(pid, std::move(early).value());
  } else {
    log_.Info("process {}: not copied before the freeze: {}", pid, early.error().message);
  }
}

Result<> PagesDump::MakeBuffers(std::span<const pid_t> pids) {
  const uint64_t limit_bytes = options_.leaves_running ? BufferLimitBytes() : kStreamBytes;
  const bool precopy = options_.precopy && options_.leaves_running &&
                       options_.features.pagemap_scan && WriteTracking::IsPossible();
  uint64_t stored_bytes = 0;
  uint64_t buffer_bytes = 0;
  for (const pid_t pid : pids) {
    const uint64_t private_bytes = ReadPrivateBytes(pid);
    if (precopy) CopyEarly(pid, private_bytes, limit_bytes - stored_bytes);
    const auto early = early_.find(pid);
    const uint64_t held_bytes = early == early_.end() ? 0 : early->second.size_bytes();
    // Its last piece may be more than what was allowed.
    if (early != early_.end()) stored_bytes += early->second.store_bytes();
    stored_bytes = std::min(stored_bytes, limit_bytes);
    // What is new by the time of the freeze, too.
    buffer_bytes += private_bytes - std::min(private_bytes, held_bytes) + private_bytes / 16;
  }
  CKPT_TRY(PageBuffers buffers,
           PageBuffers::Create(std::min(buffer_bytes, limit_bytes - stored_bytes)));
  buffers_.emplace(std::move(buffers));
  stage_.emplace(*buffers_, kReaderThreads, options_.progress);
  log_.Info("{} processes in the tree, {} MB of buffers", pids.size(), buffers_->piece_count());
  return success();
}

void PagesDump::HideTracking(pid_t pid, std::vector<Mapping>& mappings) const {
  const auto early = early_.find(pid);
  if (early != early_.end()) early->second.HideFrom(mappings);
}

uint64_t PagesDump::StartReading(std::deque<TaskDump>& tasks, SharedMemories& memories) {
  std::vector<PageStage::Source> sources;
  uint64_t page_count = 0;
  const auto add = [&](PageStage::Source source, std::span<const RemoteRange> pages) {
    for (const RemoteRange& range : pages) page_count += range.size_bytes() / kPageSize;
    sources.push_back(std::move(source));
    return kFirstPagesId + static_cast<uint32_t>(sources.size()) - 1;
  };
  for (TaskDump& task : tasks) {
    if (task.IsZombie()) continue;
    PageStage::Source source{.memory = &task.memory(), .ranges = {}};
    const auto early = early_.find(task.pid());
    if (early != early_.end() && early->second.FindClean().has_value()) {
      early->second.Place(task.snapshot.pages, source);
    } else {
      source.ranges = PageStage::PlaceInOrder(task.snapshot.pages);
    }
    task.snapshot.pages_id = add(std::move(source), task.snapshot.pages);
  }
  for (SharedMemory& memory : memories.memories()) {
    memory.pages_id = add(
        {.ranges = PageStage::PlaceInOrder(memory.pages), .fd = memory.file.get()}, memory.pages);
  }
  file_count_ = sources.size();
  stage_->StartReading(std::move(sources));
  return page_count;
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

void PagesDump::EndTracking() {
  for (auto& [pid, early] : early_) early.EndTracking();
}

Result<> PagesDump::Write() {
  if (!options_.compression_level) {
    if (stage_->FitsBuffers()) CKPT_TRY(AllowWriting());
    return stage_->Finish();
  }
  CKPT_TRY(CreatePagesFiles());
  const CompressionOptions compression = {.level = *options_.compression_level,
                                          .progress = options_.progress};
  if (stage_->FitsBuffers()) return CompressBuffers(*stage_, fds_, compression);
  CKPT_TRY(stage_->Finish());
  return CompressSpools(spools_, fds_, compression);
}

}  // namespace ckpt
