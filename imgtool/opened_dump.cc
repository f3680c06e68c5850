#include "imgtool/opened_dump.h"

#include <sys/stat.h>

#include "imgtool/dump_changes.h"
#include "imgtool/dump_transaction.h"
#include "imgtool/stage_directory.h"

namespace ckpt {

namespace {

bool Exists(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0;
}

// Of where a new dump is to be.
Result<std::string> CheckedOut(const std::string& out, const std::string& real_dump) {
  CKPT_TRY(std::string real_out, RealPathOfNew(out));
  if (Exists(real_out)) return MakeError(ErrorCode::kUsage, "{} exists already", out);
  if ((real_out + "/").starts_with(real_dump + "/")) {
    return MakeError(ErrorCode::kUsage, "{} lies inside the dump", out);
  }
  return real_out;
}

}  // namespace

Result<OpenedDump> OpenedDump::Open(const std::string& path, DumpAccess access) {
  CKPT_TRY(std::string real_path, RealPath(path));
  std::optional<DumpLock> lock;
  if (access == DumpAccess::kReplace) {
    CKPT_TRY(lock, DumpLock::Take(real_path));
  }
  CKPT_TRY(ImageSource images, ImageSource::OfDirectory(path));
  OpenedDump opened(path, std::move(real_path), std::move(images));
  opened.lock_ = std::move(lock);
  return opened;
}

Result<PlanOutcome> OpenedDump::WriteNew(const EditPlan& plan, const std::string& out) const {
  CKPT_TRY(const std::string real_out, CheckedOut(out, real_path_));
  CKPT_TRY(const DumpChanges changes, ChangesOf(plan, images_));
  // What a process that was killed left of the same output is in the way.
  CKPT_TRY(RecoverDump(real_out));
  CKPT_TRY(DumpTransaction transaction, DumpTransaction::BeginDirectory(real_out));
  CKPT_TRY(PlanOutcome outcome,
           StageDirectory({real_path_, transaction.staging_path(), real_out}, changes));
  CKPT_TRY(transaction.CommitNew());
  outcome.written = out;
  return outcome;
}

Result<PlanOutcome> OpenedDump::Replace(const EditPlan& plan) const {
  if (!lock_) return MakeError(ErrorCode::kInternal, "{} is not open to be replaced", path_);
  if (plan.empty()) return NotWritten("the dump stays as it is");
  CKPT_TRY(const DumpChanges changes, ChangesOf(plan, images_));
  CKPT_TRY(DumpTransaction transaction, DumpTransaction::BeginDirectory(real_path_));
  CKPT_TRY(PlanOutcome outcome,
           StageDirectory({real_path_, transaction.staging_path(), real_path_}, changes));
  CKPT_TRY(transaction.CommitReplace());
  outcome.written = path_;
  return outcome;
}

}  // namespace ckpt
