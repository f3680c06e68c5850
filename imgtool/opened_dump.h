// A dump, directory or archive, opened to be rewritten: what passes read of it, and carrying their
// plan out.
#ifndef IMGTOOL_OPENED_DUMP_H_
#define IMGTOOL_OPENED_DUMP_H_

#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "imgtool/archive_dump.h"
#include "imgtool/archive_walk.h"
#include "imgtool/dump_lock.h"
#include "imgtool/edit_plan.h"
#include "imgtool/image_source.h"
#include "imgtool/plan_report.h"

namespace ckpt {

enum class DumpAccess {
  kRead,     // dry runs, and rewriting into something new
  kReplace,  // the dump is locked until this object goes
};

class OpenedDump {
 public:
  // A directory, or an archive as ArchiveDump tells, which is then told at once where the changed
  // one is to be: `out`, or in its own place with kReplace. kUnsupported where another process is
  // rewriting the dump or writing `out`.
  static Result<OpenedDump> Open(const std::string& path, DumpAccess access,
                                 const std::optional<std::string>& out = std::nullopt,
                                 const ArchiveLimits& limits = {});

  const ImageSource& images() const { return archive_ ? archive_->images() : images_; }

  // What either of the others would find, and nothing is written.
  Result<PlanOutcome> Try(const EditPlan& plan) const;

  // Writes the changed dump to `out`, where nothing may be yet (kUsage): a directory as
  // StageDirectory() tells, an archive as ArchiveDump does if it was opened with that `out`. After
  // an error there is neither `out` nor anything else new. What was staged is committed only where
  // CheckPlan() does not refuse it. At most once.
  Result<PlanOutcome> WriteNew(const EditPlan& plan, const std::string& out);

  // The same over the dump itself, opened with kReplace, as DumpTransaction tells. An empty plan
  // writes nothing. After an error the dump is as it was, unless the message says otherwise. At
  // most once.
  Result<PlanOutcome> Replace(const EditPlan& plan);

 private:
  OpenedDump(std::string path, std::string real_path)
      : path_(std::move(path)), real_path_(std::move(real_path)) {}

  std::string path_;
  std::string real_path_;
  ImageSource images_ = ImageSource::OfMembers("", {});  // of a directory
  std::optional<DumpLock> lock_;
  std::optional<ArchiveDump> archive_;
};

}  // namespace ckpt

#endif  // IMGTOOL_OPENED_DUMP_H_
