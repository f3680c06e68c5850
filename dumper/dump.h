// Freezes a process, writes it down raw, and lets it go.
#ifndef DUMPER_DUMP_H_
#define DUMPER_DUMP_H_

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/result.h"
#include "dumper/ghost_files.h"
#include "dumper/page_stage.h"
#include "dumper/pages_dump.h"
#include "dumper/surroundings.h"
#include "formats/proto/stats.pb.h"
#include "process/kernel_features.h"

namespace ckpt {

// What becomes of the process once its images are on the disk.
enum class AfterDump { kKill, kLeaveRunning, kLeaveStopped };

struct DumpOptions {
  pid_t pid = 0;
  std::string images_directory = ".";
  AfterDump after = AfterDump::kKill;
  bool shell_job = false;  // the root may be in the session of a shell outside
  SurroundingsOptions surroundings;
  uint64_t ghost_limit_bytes = kDefaultGhostLimitBytes;  // of each deleted file, on disk
  KernelFeatures features;
  std::optional<SnapshotLimits> snapshots = SnapshotLimits();  // see PagesDumpOptions
  PageStage::Progress progress;
  // Of zstd; nothing where pages are not compressed. Compressing begins when the process runs again
  // (but where it is not to); pages beyond the buffers take their size on the disk meanwhile.
  std::optional<int> compression_level = {};
  // Called with the name of each step before it is taken; an error it returns is that of the step.
  // For interruptions, and for tests of failures. kDumpSteps has the names; "cure", which takes the
  // scratch area out of the process again, is not among them: nothing keeps it from being done.
  std::function<Result<>(std::string_view step)> before_step;
};

inline constexpr std::string_view kDumpSteps[] = {"prepare", "freeze",  "check",    "collect",
                                                  "infect",  "threads", "snapshot", "pages",
                                                  "images",  "commit",  "release"};

// After an error the process runs as it did before, and no image is left, but for errors of the
// last step, "release", with which the dump is whole. With kLeaveRunning the process runs again as
// soon as its pages are in memory, or in a snapshot, otherwise it stays frozen until the images are
// on the disk. kUnsupported: the process has what cannot be dumped; the message has all of it.
Result<pb::dump_stats_entry> Dump(const DumpOptions& options, Log& log);

}  // namespace ckpt

#endif  // DUMPER_DUMP_H_
