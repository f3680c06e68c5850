// A dump, directory or archive, opened to be rewritten: what passes read of it, and carrying their
// plan out.
#ifndef IMGTOOL_OPENED_DUMP_H_
#define IMGTOOL_OPENED_DUMP_H_

#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
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
  // kUnsupported where another process is rewriting it.
  static Result<OpenedDump> Open(const std::string& path, DumpAccess access);

  const ImageSource& images() const { return images_; }

  // Writes the changed dump to `out`, where nothing may be yet (kUsage): a directory as
  // StageDirectory() tells. After an error there is neither `out` nor anything else new.
  Result<PlanOutcome> WriteNew(const EditPlan& plan, const std::string& out) const;

  // The same over the dump itself, opened with kReplace, as DumpTransaction tells. An empty plan
  // writes nothing. After an error the dump is as it was, unless the message says otherwise.
  Result<PlanOutcome> Replace(const EditPlan& plan) const;

 private:
  OpenedDump(std::string path, std::string real_path, ImageSource images)
      : path_(std::move(path)), real_path_(std::move(real_path)), images_(std::move(images)) {}

  std::string path_;
  std::string real_path_;
  ImageSource images_;
  std::optional<DumpLock> lock_;
};

}  // namespace ckpt

#endif  // IMGTOOL_OPENED_DUMP_H_
