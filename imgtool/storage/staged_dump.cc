#include "imgtool/storage/staged_dump.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "imgtool/check/staged_check.h"
#include "imgtool/place_file.h"
#include "imgtool/stage_directory.h"

namespace ckpt {

namespace {

Result<std::string> PlaceOfNew(const std::string& out, const std::string& real_dump) {
  CKPT_TRY(std::string real_out, RealPathOfNew(out));
  struct stat status {};
  if (lstat(real_out.c_str(), &status) == 0) {
    return MakeError(ErrorCode::kUsage, "{} exists already", out);
  }
  if ((real_out + "/").starts_with(real_dump + "/")) {
    return MakeError(ErrorCode::kUsage, "{} lies inside the dump", out);
  }
  // What a process that was killed left of the same output is in the way.
  CKPT_TRY(RecoverDump(real_out));
  return real_out;
}

}  // namespace

Result<StagedDump> StagedDump::Begin(const std::string& dump, const std::optional<std::string>& out,
                                     DumpChanges changes) {
  CKPT_TRY(const std::string real_dump, RealPath(dump));
  std::string place = real_dump;
  if (out) {
    CKPT_TRY(place, PlaceOfNew(*out, real_dump));
  }
  CKPT_TRY(DumpTransaction transaction, DumpTransaction::BeginDirectory(place));
  StagedDump staged(real_dump, !out, std::move(changes), std::move(transaction));
  CKPT_TRY(StageDirectory({real_dump, staged.transaction_.staging_path(), place}, staged.changes_));
  return staged;
}

std::string StagedDump::PathOf(const std::string& name) const {
  return transaction_.staging_path() + "/" + name;
}

Result<UniqueFd> StagedDump::OpenFile(const std::string& name) const {
  return ckpt::OpenFile(PathOf(name), O_RDWR | O_NOFOLLOW);
}

Result<> StagedDump::FinishFile(const UniqueFd& file, const std::string& name,
                                const std::string& source) const {
  struct stat status {};
  const std::string source_path = dump_ + "/" + source;
  if (!source.empty() && lstat(source_path.c_str(), &status) == 0) {
    CKPT_TRY(CopyAttributes(file.get(), status, PathOf(name)));
  }
  if (fsync(file.get()) == 0) return success();
  const int saved = errno;
  return ErrnoError(saved, "fsync({})", PathOf(name));
}

Result<> StagedDump::Commit() {
  CKPT_TRY(CheckStaged(dump_, transaction_.staging_path(), changes_));
  return replaces_ ? transaction_.CommitReplace() : transaction_.CommitNew();
}

}  // namespace ckpt
