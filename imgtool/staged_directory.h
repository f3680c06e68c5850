// A directory that is built beside the place where it will be, and appears there in one step.
#ifndef IMGTOOL_STAGED_DIRECTORY_H_
#define IMGTOOL_STAGED_DIRECTORY_H_

#include <string>
#include <utility>

#include "base/result.h"

namespace ckpt {

class StagedDirectory {
 public:
  // An empty directory of mode 0700, ".NAME.imgtool-XXXXXX", in the directory that `path` is in.
  static Result<StagedDirectory> Create(std::string path);

  StagedDirectory(StagedDirectory&& other) noexcept
      : path_(std::move(other.path_)), staging_path_(std::exchange(other.staging_path_, {})) {}
  StagedDirectory& operator=(StagedDirectory&&) = delete;
  // Removes what was not committed.
  ~StagedDirectory();

  const std::string& staging_path() const { return staging_path_; }

  // Syncs the directory and renames it to `path`, where nothing may be (EEXIST, kSystem). After an
  // error `path` is as it was.
  Result<> CommitNew();

  // Syncs the directory and exchanges it with the directory at `path` in one rename (renameat2,
  // RENAME_EXCHANGE: at every moment `path` is the old directory or the new), then removes the old
  // one. After an error `path` is as it was, unless the message says that only the removal failed.
  // kUnsupported where the file system cannot exchange, or `path` is a mountpoint.
  Result<> CommitExchange();

 private:
  StagedDirectory(std::string path, std::string staging_path)
      : path_(std::move(path)), staging_path_(std::move(staging_path)) {}

  std::string path_;
  std::string staging_path_;  // empty when there is nothing to remove
};

}  // namespace ckpt

#endif  // IMGTOOL_STAGED_DIRECTORY_H_
