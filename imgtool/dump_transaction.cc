#include "imgtool/dump_transaction.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "imgtool/commit_journal.h"

namespace ckpt {

namespace {

namespace fs = std::filesystem;

bool Exists(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0;
}

Result<> RenamePath(const std::string& from, const std::string& to, unsigned int flags,
                    const char* flag_name) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "renameat2(\"{}\", \"{}\", {})", from, to, flag_name);
  }
  return success();
}

Result<> Exchange(const std::string& from, const std::string& to) {
  auto done = RenamePath(from, to, RENAME_EXCHANGE, "RENAME_EXCHANGE");
  if (!done.has_error()) return done;
  Error error = std::move(done).error();
  if (error.code != ErrorCode::kSystem) return error;
  // EINVAL, EXDEV or EBUSY: of the file system or of a mountpoint; another try ends alike.
  error.code = ErrorCode::kUnsupported;
  error.message += "; nothing was changed, use -o OUT instead";
  return error;
}

Result<> RemoveTree(const std::string& path) {
  std::error_code problem;
  fs::remove_all(path, problem);
  if (problem) return ErrnoError(problem.value(), "remove(\"{}\")", path);
  return success();
}

Result<> RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) == 0) return success();
  const int saved = errno;
  if (saved == ENOENT) return success();
  return ErrnoError(saved, "unlink(\"{}\")", path);
}

// What a commit does once the exchange is done: every step may be repeated after a kill.
Result<> FinishCommit(const DumpPlaces& places) {
  CKPT_TRY(SyncDirectory(places.parent));
  if (Exists(places.staging)) {
    if (Exists(places.undo)) CKPT_TRY(RenamePath(places.undo, places.old, 0, "0"));
    CKPT_TRY(RenamePath(places.staging, places.undo, 0, "0"));
    CKPT_TRY(SyncDirectory(places.parent));
  }
  CKPT_TRY(RemoveFile(places.journal));
  CKPT_TRY(SyncDirectory(places.parent));
  return RemoveTree(places.old);
}

Result<> RollBack(const DumpPlaces& places) {
  CKPT_TRY(RemoveTree(places.staging));
  CKPT_TRY(RemoveFile(places.journal));
  return RemoveTree(places.old);
}

bool NeedsRecovery(const DumpPlaces& places) {
  return Exists(places.staging) || Exists(places.journal) || Exists(places.old);
}

std::string CutShort(const DumpPlaces& places, const char* what_now) {
  return fmt::format("{}: a rewrite of it was cut short and is {}", places.dump, what_now);
}

Result<std::string> RecoverLocked(const DumpPlaces& places) {
  CKPT_TRY(const auto journal, ReadCommitJournal(places.journal));
  if (!journal) {
    const bool was_building = Exists(places.staging) || Exists(places.journal);
    CKPT_TRY(RollBack(places));
    return CutShort(places, was_building ? "rolled back" : "finished");
  }
  CKPT_TRY(const FileIdentity now, IdentityOf(places.dump));
  if (now == journal->new_state) {
    CKPT_TRY(FinishCommit(places));
    return CutShort(places, "finished");
  }
  if (now == journal->old_state) {
    CKPT_TRY(RollBack(places));
    return CutShort(places, "rolled back");
  }
  return MakeError(ErrorCode::kUnsupported,
                   "{}: neither the old nor the new state of the rewrite that {} tells of; remove "
                   "it once you know which one it is",
                   places.dump, places.journal);
}

Result<DumpPlaces> PlacesToRecover(const std::string& path) {
  CKPT_TRY(const std::string real, Exists(path) ? RealPath(path) : RealPathOfNew(path));
  return DumpPlaces(real);
}

// A process that makes a new dump holds the lock of what it builds, since there is no dump yet.
Result<std::optional<DumpLock>> LockToRecover(const DumpPlaces& places) {
  if (Exists(places.dump)) return DumpLock::TryTake(places.dump);
  return DumpLock::TryTake(places.staging);
}

Result<DumpTransaction> Refused(const DumpPlaces& places) {
  return MakeError(ErrorCode::kUnsupported, "{}: another process is writing it", places.dump);
}

}  // namespace

DumpPlaces::DumpPlaces(const std::string& path)
    : dump(path), parent(fs::path(path).parent_path().string()) {
  const std::string hidden =
      (fs::path(parent) / ("." + fs::path(path).filename().string() + ".imgtool-")).string();
  staging = hidden + "new";
  journal = hidden + "journal";
  undo = hidden + "undo";
  old = hidden + "old";
}

Result<std::string> RealPath(const std::string& path) {
  std::error_code problem;
  const fs::path real = fs::canonical(path, problem);
  if (problem) return ErrnoError(problem.value(), "realpath(\"{}\")", path);
  return real.string();
}

Result<std::string> RealPathOfNew(const std::string& path) {
  fs::path normal = fs::path(path).lexically_normal();
  if (!normal.has_filename()) normal = normal.parent_path();
  const std::string parent = normal.parent_path().string();
  CKPT_TRY(const std::string real_parent, RealPath(parent.empty() ? "." : parent));
  return (fs::path(real_parent) / normal.filename()).string();
}

Result<std::optional<std::string>> RecoverDump(const std::string& path) {
  const auto places = PlacesToRecover(path);
  // A path that leads nowhere is for whoever uses it to report.
  if (places.has_error() || !NeedsRecovery(places.value())) return std::optional<std::string>();
  auto lock = LockToRecover(places.value());
  if (lock.has_error()) return std::move(lock).error();
  if (!lock.value()) return std::optional<std::string>();
  // The one who had the lock may have finished meanwhile.
  if (!NeedsRecovery(places.value())) return std::optional<std::string>();
  CKPT_TRY(std::string done, RecoverLocked(places.value()));
  return std::optional<std::string>(std::move(done));
}

Result<DumpTransaction> DumpTransaction::BeginDirectory(const std::string& path) {
  DumpPlaces places(path);
  if (mkdir(places.staging.c_str(), 0700) != 0) {
    const int saved = errno;
    if (saved == EEXIST) return Refused(places);
    return ErrnoError(saved, "mkdir(\"{}\", 0700)", places.staging);
  }
  CKPT_TRY(DumpLock lock, DumpLock::Take(places.staging));
  return DumpTransaction(std::move(places), std::move(lock));
}

Result<DumpTransaction> DumpTransaction::BeginFile(const std::string& path) {
  DumpPlaces places(path);
  const int fd = open(places.staging.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const int saved = errno;
  if (fd < 0 && saved == EEXIST) return Refused(places);
  if (fd < 0) return ErrnoError(saved, "open(\"{}\", O_CREAT)", places.staging);
  const UniqueFd closed(fd);
  CKPT_TRY(DumpLock lock, DumpLock::Take(places.staging));
  return DumpTransaction(std::move(places), std::move(lock));
}

DumpTransaction::~DumpTransaction() {
  if (is_open_) static_cast<void>(RollBack(places_).has_error());
}

Result<> DumpTransaction::CommitNew() {
  auto renamed = RenamePath(places_.staging, places_.dump, RENAME_NOREPLACE, "RENAME_NOREPLACE");
  if (renamed.has_error()) return renamed;
  is_open_ = false;
  return SyncDirectory(places_.parent);
}

Result<> DumpTransaction::CommitReplace() {
  CKPT_TRY(const FileIdentity old_state, IdentityOf(places_.dump));
  CKPT_TRY(const FileIdentity new_state, IdentityOf(places_.staging));
  CKPT_TRY(WriteCommitJournal(places_.journal, {old_state, new_state}));
  CKPT_TRY(SyncDirectory(places_.parent));
  CKPT_TRY(Exchange(places_.staging, places_.dump));
  is_open_ = false;
  auto finished = FinishCommit(places_);
  if (!finished.has_error()) return success();
  Error error = std::move(finished).error();
  error.message =
      fmt::format("{} is changed, but not all is tidied up, which the next run does: {}",
                  places_.dump, error.message);
  return error;
}

Result<> UndoDump(const std::string& path) {
  CKPT_TRY(const std::string real, RealPath(path));
  const DumpPlaces places(real);
  CKPT_TRY(const DumpLock lock, DumpLock::Take(real));
  if (!Exists(places.undo)) {
    return MakeError(ErrorCode::kNotFound, "{}: no earlier state is kept", path);
  }
  CKPT_TRY(Exchange(places.undo, places.dump));
  return SyncDirectory(places.parent);
}

Result<bool> ForgetUndo(const std::string& path) {
  CKPT_TRY(const std::string real, RealPath(path));
  const DumpPlaces places(real);
  CKPT_TRY(const DumpLock lock, DumpLock::Take(real));
  if (!Exists(places.undo)) return false;
  CKPT_TRY(RenamePath(places.undo, places.old, 0, "0"));
  CKPT_TRY(SyncDirectory(places.parent));
  CKPT_TRY(RemoveTree(places.old));
  return true;
}

}  // namespace ckpt
