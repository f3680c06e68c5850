#include "dumper/early_pages.h"

#include <algorithm>

#include "dumper/task_dump.h"
#include "process/fdinfo.h"
#include "process/frozen_process.h"
#include "process/maps.h"
#include "process/remote_memory.h"

namespace ckpt {

namespace {

using Clock = std::chrono::steady_clock;

// Smaller mappings are read as fast as they are tracked.
constexpr uint64_t kLeastBytes = uint64_t{256} << 10;

struct Userfault {
  UniqueFd fd;
  std::vector<Mapping> mappings;
};

bool CanTrack(const Mapping& mapping) {
  const bool is_anonymous = mapping.path.empty() || mapping.path.starts_with("[anon:") ||
                            SpecialMappingOf(mapping) == SpecialMapping::kHeap;
  return is_anonymous && !mapping.shared && mapping.readable && mapping.inode == 0 &&
         mapping.size_bytes() >= kLeastBytes;
}

// Of a process that is stopped.
Result<Userfault> TakeUserfault(TaskDump& task) {
  Refusals refusals;
  refusals.SetRoot(task.pid());
  CKPT_TRY(task.Identify());
  CKPT_TRY(task.Check(refusals));
  CKPT_TRY(refusals.AsResult(task.pid()));
  CKPT_TRY(task.ListMappings());
  CKPT_TRY(task.InstallEngine());
  Result<UniqueFd> userfault = task.TakeUserfault();
  CKPT_TRY(task.RemoveEngine());
  CKPT_TRY(UniqueFd fd, std::move(userfault));
  return Userfault{std::move(fd), task.mappings()};
}

Result<Userfault> StopAndTakeUserfault(pid_t pid, const KernelFeatures& features) {
  CKPT_TRY(FrozenProcess process, FrozenProcess::Freeze(pid));
  if (process.stop_signal() != 0) return MakeError(ErrorCode::kUnsupported, "it is stopped");
  FrozenTask frozen{.pid = pid, .ppid = 0, .process = std::move(process)};
  TaskDump task(frozen, features);
  Result<Userfault> taken = TakeUserfault(task);
  CKPT_TRY(frozen.process->Thaw());
  return taken;
}

// Devices write into its pages without the kernel's tracking where they were told to before it.
Result<> RefuseAsynchronousIo(pid_t pid, const KernelFeatures& features) {
  CKPT_TRY(const std::vector<Mapping> mappings, ReadMappings(pid, features));
  for (const Mapping& mapping : mappings) {
    if (mapping.path.starts_with("/[aio]")) {
      return MakeError(ErrorCode::kUnsupported, "it has asynchronous I/O (io_setup)");
    }
  }
  CKPT_TRY(const std::vector<int> numbers, ListFds(pid));
  for (const int number : numbers) {
    CKPT_TRY(const std::string link, ReadLink(fmt::format("/proc/{}/fd/{}", pid, number)));
    if (link == "anon_inode:[io_uring]") {
      return MakeError(ErrorCode::kUnsupported, "it has an io_uring");
    }
  }
  return success();
}

// Synchronous direct I/O has ended when its threads have stopped.
Result<> StopOnce(pid_t pid, const KernelFeatures& features) {
  CKPT_TRY(FrozenProcess process, FrozenProcess::Freeze(pid));
  Result<> refused = RefuseAsynchronousIo(pid, features);
  CKPT_TRY(process.Thaw());
  return refused;
}

uint64_t SizeOf(std::span<const RemoteRange> ranges) {
  uint64_t size_bytes = 0;
  for (const RemoteRange& range : ranges) size_bytes += range.size_bytes();
  return size_bytes;
}

Result<std::vector<RemoteRange>> TrackAll(const std::vector<Mapping>& mappings,
                                          uint64_t limit_bytes, WriteTracking& tracking) {
  std::vector<RemoteRange> pages;
  for (const Mapping& mapping : mappings) {
    if (!CanTrack(mapping)) continue;
    // The process runs: what it has unmapped or moved meanwhile has no copy.
    static_cast<void>(tracking.Track({mapping.start, mapping.end}, pages));
  }
  if (pages.empty()) return MakeError(ErrorCode::kUnsupported, "no mapping of it can be tracked");
  const uint64_t size_bytes = SizeOf(pages);
  if (size_bytes <= limit_bytes) return pages;
  return MakeError(ErrorCode::kUnsupported, "{} bytes to copy, {} allowed", size_bytes,
                   limit_bytes);
}

}  // namespace

Result<EarlyPages> EarlyPages::Copy(pid_t pid, const KernelFeatures& features, uint64_t limit_bytes,
                                    const std::function<void(std::chrono::microseconds)>& stopped) {
  auto since = Clock::now();
  const auto stop_ends = [&] {
    stopped(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - since));
  };
  Result<Userfault> taken = StopAndTakeUserfault(pid, features);
  stop_ends();
  CKPT_TRY(Userfault userfault, std::move(taken));
  CKPT_TRY(WriteTracking tracking, WriteTracking::Create(pid, std::move(userfault.fd)));
  CKPT_TRY(const auto pages, TrackAll(userfault.mappings, limit_bytes, tracking));
  // What was pinned before it was tracked has to be of the past.
  since = Clock::now();
  const Result<> stopped_once = StopOnce(pid, features);
  stop_ends();
  CKPT_TRY(stopped_once);
  const uint64_t wanted_bytes = SizeOf(pages);
  CKPT_TRY(PageBuffers store, PageBuffers::Create(wanted_bytes));
  EarlyPages early(std::move(tracking), std::move(store));
  CKPT_TRY(early.ReadCopies(pid, pages));
  if (early.size_bytes() >= wanted_bytes / 2) return early;
  return MakeError(ErrorCode::kUnsupported, "most of what it had is gone");
}

// The process runs: what it has unmapped meanwhile is left out.
Result<> EarlyPages::ReadCopies(pid_t pid, std::span<const RemoteRange> pages) {
  CKPT_TRY(const RemoteMemory memory, RemoteMemory::Open(pid));
  for (RemoteRange rest : pages) {
    while (rest.size_bytes() > 0) {
      const uint64_t taken = std::min<uint64_t>(rest.size_bytes(), PageBuffers::kPieceBytes);
      const RemoteRange range{rest.start, rest.start + taken};
      rest.start += taken;
      const std::span<std::byte> place = store_.bytes().subspan(size_bytes_, taken);
      if (memory.ReadRanges(std::span(&range, 1), place).has_error()) continue;
      copies_.push_back({range, place.data()});
      size_bytes_ += taken;
    }
  }
  return success();
}

Result<> EarlyPages::FindClean() { return tracking_->FindClean(clean_); }

// Goes through pages, copies and clean ranges side by side.
class EarlyPages::Placing {
 public:
  Placing(const EarlyPages& early, PageStage::Source& source)
      : copies_(early.copies_), clean_(early.clean_), source_(source) {}

  void Take(RemoteRange pages) {
    while (pages.size_bytes() > 0) {
      while (!copies_.empty() && copies_.front().range.end <= pages.start) {
        copies_ = copies_.subspan(1);
      }
      const uint64_t start = copies_.empty() ? pages.end : copies_.front().range.start;
      if (start > pages.start) {
        Read({pages.start, std::min(pages.end, start)}, nullptr, pages);
      } else {
        TakeCopied(std::min(pages.end, copies_.front().range.end), pages);
      }
    }
  }

 private:
  // The pages up to `end` have a copy.
  void TakeCopied(uint64_t end, RemoteRange& pages) {
    const PageCopy& copy = copies_.front();
    Hold(Bytes(copy.bytes + (pages.start - copy.range.start), end - pages.start));
    while (pages.start < end) {
      while (!clean_.empty() && clean_.front().end <= pages.start) clean_ = clean_.subspan(1);
      const uint64_t start = clean_.empty() ? end : clean_.front().start;
      if (start > pages.start) {
        std::byte* const slot = copy.bytes + (pages.start - copy.range.start);
        Read({pages.start, std::min(end, start)}, slot, pages);
      } else {
        PassTo(std::min(end, clean_.front().end), pages);
      }
    }
  }

  void Read(RemoteRange range, std::byte* slot, RemoteRange& pages) {
    source_.ranges.push_back({range, offset_, slot});
    PassTo(range.end, pages);
  }

  void PassTo(uint64_t end, RemoteRange& pages) {
    offset_ += end - pages.start;
    pages.start = end;
  }

  // Neighbours in the file that are neighbours in memory are one.
  void Hold(Bytes bytes) {
    if (!source_.held.empty()) {
      PageStage::HeldPages& last = source_.held.back();
      const bool goes_on = last.file_offset + last.bytes.size() == offset_ &&
                           last.bytes.data() + last.bytes.size() == bytes.data();
      if (goes_on) {
        last.bytes = Bytes(last.bytes.data(), last.bytes.size() + bytes.size());
        return;
      }
    }
    source_.held.push_back({bytes, offset_});
  }

  std::span<const PageCopy> copies_;
  std::span<const RemoteRange> clean_;
  PageStage::Source& source_;
  uint64_t offset_ = 0;
};

void EarlyPages::Place(std::span<const RemoteRange> pages, PageStage::Source& source) const {
  Placing placing(*this, source);
  for (const RemoteRange& range : pages) placing.Take(range);
}

void EarlyPages::HideFrom(std::vector<Mapping>& mappings) const {
  const std::vector<RemoteRange>& tracked = tracking_->mappings();
  for (Mapping& mapping : mappings) {
    const auto first = std::ranges::upper_bound(tracked, mapping.start, {}, &RemoteRange::end);
    const bool is_tracked = first != tracked.end() && first->Overlaps({mapping.start, mapping.end});
    if (is_tracked && mapping.usage) mapping.usage->flags.Remove(VmFlag::kUffdWriteProtect);
  }
}

}  // namespace ckpt
