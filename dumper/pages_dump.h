// The pages of a tree on their way into the images: those that are read under the freeze, those of
// large processes, which are read from snapshots once the tree runs again, and writing them all.
#ifndef DUMPER_PAGES_DUMP_H_
#define DUMPER_PAGES_DUMP_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/result.h"
#include "base/staged_file_set.h"
#include "dumper/page_stage.h"
#include "dumper/shared_memory.h"
#include "dumper/task_dump.h"
#include "process/mapping.h"
#include "process/memory_snapshot.h"
#include "process/mountinfo.h"

namespace ckpt {

// What a process must have of its own for a snapshot of it: less is read under the freeze about as
// fast as it makes a child.
struct SnapshotLimits {
  uint64_t least_bytes = uint64_t{16} << 20;
  uint64_t bytes_for_mapping = uint64_t{64} << 10;
};

struct PagesDumpOptions {
  std::string images_directory;
  // Whether the tree runs again as soon as its pages are in memory or in snapshots. Then buffers
  // may take a quarter of the machine's free memory.
  bool leaves_running = false;
  // Of which processes snapshots are taken, where the tree is to run again and the memory is there
  // for them to change all of theirs meanwhile. Nothing: of none.
  std::optional<SnapshotLimits> snapshots;
  std::optional<int> compression_level;
  PageStage::Progress progress;
};

class PagesDump {
 public:
  // All outlive it. Snapshots can be ended only when the tree runs: they are left to `snapshots`
  // where a dump fails.
  PagesDump(PagesDumpOptions options, StagedFileSet& output, std::vector<MemorySnapshot>& snapshots,
            Log& log)
      : options_(std::move(options)), output_(output), snapshots_(snapshots), log_(log) {}

  // Before the freeze, for the processes of the tree that there are: the first file, to find a
  // directory that cannot be written to, and buffers. `mappings` have their usage.
  using MappingsOfTree = std::map<pid_t, std::vector<Mapping>>;
  Result<> Prepare(std::span<const pid_t> pids, const MappingsOfTree& mappings);

  // Under the freeze. From here on the pages are read beside all else, but those of snapshots to be
  // taken. `tasks` and `memories` know where theirs are; they get their numbers of pages images,
  // and outlive this object. Returns how many pages.
  uint64_t StartReading(std::deque<TaskDump>& tasks, SharedMemories& memories);
  // While the engines are installed. Where a snapshot cannot be had, all is read under the freeze.
  Result<> TakeSnapshots(std::deque<TaskDump>& tasks);
  // To be called where the buffers do not hold all pages: writing begins under the freeze.
  bool FitsBuffers() const { return stage_->FitsBuffers(); }
  Result<> AllowWriting();
  Result<> FinishReading() { return stage_->FinishReading(); }

  // Once the tree runs again, if it is to before its images are written. Ends the snapshots; how
  // long processes were stopped for that.
  Result<> Write();
  std::chrono::microseconds stopped() const { return stopped_; }

 private:
  bool IsToBeSnapshot(pid_t pid, const MappingsOfTree& mappings, uint64_t private_bytes,
                      uint64_t planned_bytes);
  Result<> MakeBuffers(std::span<const pid_t> pids, const MappingsOfTree& mappings);
  Result<int> CreatePagesFile(uint64_t id);
  Result<> CreatePagesFiles();
  Result<> AllowSpooling();
  Result<> TakeSnapshot(TaskDump& task);
  Result<> ReadSnapshots();

  const PagesDumpOptions options_;
  StagedFileSet& output_;
  std::vector<MemorySnapshot>& snapshots_;
  Log& log_;
  std::optional<Result<std::vector<Mount>>> mounts_;    // ours, once they were asked for
  std::map<pid_t, std::optional<size_t>> to_snapshot_;  // their sources, once there are sources
  std::chrono::microseconds stopped_{};
  bool is_writing_ = false;
  std::optional<PageBuffers> buffers_;
  size_t file_count_ = 0;
  std::vector<int> fds_;
  std::vector<UniqueFd> spools_;  // of pages that wait to be compressed, where they do not fit
  std::optional<PageStage> stage_;
};

}  // namespace ckpt

#endif  // DUMPER_PAGES_DUMP_H_
