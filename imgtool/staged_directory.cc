#include "imgtool/staged_directory.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/file.h"

namespace ckpt {

namespace {

std::filesystem::path ParentOf(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

Error ExchangeError(int error_number, const std::string& staging_path, const std::string& path) {
  Error error =
      ErrnoError(error_number, "renameat2(\"{}\", \"{}\", RENAME_EXCHANGE)", staging_path, path);
  if (error_number == EINVAL || error_number == EXDEV || error_number == EBUSY) {
    error.code = ErrorCode::kUnsupported;
    error.message += "; nothing was changed, use -o OUT instead";
  }
  return error;
}

}  // namespace

Result<StagedDirectory> StagedDirectory::Create(std::string path) {
  const std::filesystem::path name = std::filesystem::path(path).filename();
  const std::string pattern = (ParentOf(path) / ("." + name.string() + ".imgtool-XXXXXX")).string();
  std::string staging = pattern;
  if (mkdtemp(staging.data()) == nullptr) {
    const int saved = errno;
    return ErrnoError(saved, "mkdtemp(\"{}\")", pattern);
  }
  return StagedDirectory(std::move(path), std::move(staging));
}

StagedDirectory::~StagedDirectory() {
  std::error_code ignored;
  if (!staging_path_.empty()) std::filesystem::remove_all(staging_path_, ignored);
}

Result<> StagedDirectory::CommitNew() {
  CKPT_TRY(SyncDirectory(staging_path_));
  if (renameat2(AT_FDCWD, staging_path_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "renameat2(\"{}\", \"{}\", RENAME_NOREPLACE)", staging_path_, path_);
  }
  staging_path_.clear();
  return SyncDirectory(ParentOf(path_).string());
}

Result<> StagedDirectory::CommitExchange() {
  CKPT_TRY(SyncDirectory(staging_path_));
  if (renameat2(AT_FDCWD, staging_path_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) != 0) {
    const int saved = errno;
    return ExchangeError(saved, staging_path_, path_);
  }
  const std::string old = std::exchange(staging_path_, {});
  CKPT_TRY(SyncDirectory(ParentOf(path_).string()));
  std::error_code problem;
  std::filesystem::remove_all(old, problem);
  if (problem) {
    return MakeError(ErrorCode::kSystem,
                     "{} is changed, but removing its old state at {} failed: {}", path_, old,
                     problem.message());
  }
  return success();
}

}  // namespace ckpt
