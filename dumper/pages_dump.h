// The pages of a tree on their way into the images: what is copied before the freeze, what is read
// under it, and what is written after it.
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
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/result.h"
#include "base/staged_file_set.h"
#include "dumper/early_pages.h"
#include "dumper/page_stage.h"
#include "dumper/shared_memory.h"
#include "dumper/task_dump.h"
#include "process/kernel_features.h"
#include "process/mapping.h"

namespace ckpt {

struct PagesDumpOptions {
  std::string images_directory;
  // Whether the tree runs again as soon as its pages are in memory. Then that may take a quarter of
  // the machine's free memory.
  bool leaves_running = false;
  // Whether large processes are copied before the freeze, where the kernel tracks writes.
  bool precopy = false;
  std::optional<int> compression_level;
  PageStage::Progress progress;
  KernelFeatures features;
};

class PagesDump {
 public:
  // Both outlive it.
  PagesDump(PagesDumpOptions options, StagedFileSet& output, Log& log)
      : options_(std::move(options)), output_(output), log_(log) {}

  // Before the freeze, for the processes of the tree that there are: the first file, to find a
  // directory that cannot be written to; copies; buffers for the rest.
  Result<> Prepare(std::span<const pid_t> pids);
  // How long processes were stopped for copies.
  std::chrono::microseconds stopped() const { return stopped_; }

  // Under the freeze. Takes from the mappings of smaps what the copying put there.
  void HideTracking(pid_t pid, std::vector<Mapping>& mappings) const;
  // From here on the pages are read beside all else. `tasks` and `memories` know where theirs are;
  // they get their numbers of pages images, and outlive this object. Returns how many pages.
  uint64_t StartReading(std::deque<TaskDump>& tasks, SharedMemories& memories);
  // To be called where the buffers do not hold all pages: writing begins under the freeze.
  bool FitsBuffers() const { return stage_->FitsBuffers(); }
  Result<> AllowWriting();
  Result<> FinishReading() { return stage_->FinishReading(); }

  // Once the tree runs again.
  void EndTracking();
  Result<> Write();

 private:
  void CopyEarly(pid_t pid, uint64_t private_bytes, uint64_t limit_bytes);
  Result<> MakeBuffers(std::span<const pid_t> pids);
  Result<int> CreatePagesFile(uint64_t id);
  Result<> CreatePagesFiles();
  Result<> AllowSpooling();

  const PagesDumpOptions options_;
  StagedFileSet& output_;
  Log& log_;
  std::map<pid_t, EarlyPages> early_;
  std::chrono::microseconds stopped_{};
  std::optional<PageBuffers> buffers_;
  size_t file_count_ = 0;
  std::vector<int> fds_;
  std::vector<UniqueFd> spools_;  // of pages that wait to be compressed, where they do not fit
  std::optional<PageStage> stage_;
};

}  // namespace ckpt

#endif  // DUMPER_PAGES_DUMP_H_
