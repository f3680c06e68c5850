#include "imgtool/opened_dump.h"

#include <sys/stat.h>

#include <cerrno>

#include "imgtool/check/plan_check.h"
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

Result<bool> IsDirectory(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "stat(\"{}\")", path);
  }
  if (S_ISDIR(status.st_mode) || S_ISREG(status.st_mode)) return S_ISDIR(status.st_mode);
  return MakeError(ErrorCode::kUnsupported, "{}: neither a directory nor an archive (mode {:#o})",
                   path, status.st_mode);
}

// Of an archive, which is staged while it is read.
Result<std::optional<DumpTransaction>> BeginArchive(const std::string& real_path, bool replaces,
                                                    const std::optional<std::string>& out) {
  if (!replaces && !out) return std::optional<DumpTransaction>();
  std::string target = real_path;
  if (out) {
    CKPT_TRY(target, CheckedOut(*out, real_path));
    // What a process that was killed left of the same output is in the way.
    CKPT_TRY(RecoverDump(target));
  }
  CKPT_TRY(DumpTransaction transaction, DumpTransaction::BeginFile(target));
  return std::optional<DumpTransaction>(std::move(transaction));
}

}  // namespace

Result<OpenedDump> OpenedDump::Open(const std::string& path, DumpAccess access,
                                    const std::optional<std::string>& out,
                                    const ArchiveLimits& limits) {
  CKPT_TRY(std::string real_path, RealPath(path));
  OpenedDump opened(path, std::move(real_path));
  const bool replaces = access == DumpAccess::kReplace;
  if (replaces) {
    CKPT_TRY(opened.lock_, DumpLock::Take(opened.real_path_));
  }
  CKPT_TRY(const bool is_directory, IsDirectory(opened.real_path_));
  if (is_directory) {
    CKPT_TRY(opened.images_, ImageSource::OfDirectory(path));
    return opened;
  }
  CKPT_TRY(auto transaction, BeginArchive(opened.real_path_, replaces, out));
  CKPT_TRY(ArchiveDump archive,
           ArchiveDump::Open(opened.real_path_, limits, std::move(transaction)));
  opened.archive_.emplace(std::move(archive));
  return opened;
}

Result<PlanOutcome> OpenedDump::Try(const EditPlan& plan) const {
  PlanOutcome outcome = NotWritten("--dry-run");
  if (plan.empty()) return outcome;
  CKPT_TRY(const DumpChanges changes, ChangesOf(plan, images()));
  CKPT_TRY(outcome.notes, CheckPlan(images(), plan, changes));
  return outcome;
}

Result<PlanOutcome> OpenedDump::WriteNew(const EditPlan& plan, const std::string& out) {
  CKPT_TRY(const std::string real_out, CheckedOut(out, real_path_));
  CKPT_TRY(const DumpChanges changes, ChangesOf(plan, images()));
  PlanOutcome outcome;
  if (archive_) {
    CKPT_TRY(outcome, archive_->Stage(changes));
    CKPT_TRY(outcome.notes, CheckPlan(images(), plan, changes));
    CKPT_TRY(archive_->transaction().CommitNew());
  } else {
    CKPT_TRY(RecoverDump(real_out));
    CKPT_TRY(DumpTransaction transaction, DumpTransaction::BeginDirectory(real_out));
    CKPT_TRY(outcome, StageDirectory({real_path_, transaction.staging_path(), real_out}, changes));
    CKPT_TRY(outcome.notes, CheckPlan(images(), plan, changes));
    CKPT_TRY(transaction.CommitNew());
  }
  outcome.written = out;
  return outcome;
}

Result<PlanOutcome> OpenedDump::Replace(const EditPlan& plan) {
  if (!lock_) return MakeError(ErrorCode::kInternal, "{} is not open to be replaced", path_);
  if (plan.empty()) return NotWritten("the dump stays as it is");
  CKPT_TRY(const DumpChanges changes, ChangesOf(plan, images()));
  PlanOutcome outcome;
  if (archive_) {
    CKPT_TRY(outcome, archive_->Stage(changes));
    CKPT_TRY(outcome.notes, CheckPlan(images(), plan, changes));
    CKPT_TRY(archive_->transaction().CommitReplace());
  } else {
    CKPT_TRY(DumpTransaction transaction, DumpTransaction::BeginDirectory(real_path_));
    CKPT_TRY(outcome,
             StageDirectory({real_path_, transaction.staging_path(), real_path_}, changes));
    CKPT_TRY(outcome.notes, CheckPlan(images(), plan, changes));
    CKPT_TRY(transaction.CommitReplace());
  }
  outcome.written = path_;
  return outcome;
}

}  // namespace ckpt
