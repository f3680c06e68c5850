#include "base/staged_file_set.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ckpt {

namespace {

constexpr size_t kFilesToSyncEach = 32;

}  // namespace

Result<> StagedFileSet::Add(const std::string& name, Bytes bytes, mode_t mode) {
  CKPT_TRY(const int fd, Create(name, mode));
  return WriteAll(fd, bytes, name);
}

Result<int> StagedFileSet::Create(const std::string& name, mode_t mode) {
  CKPT_TRY(StagedFile file, StagedFile::Create(fmt::format("{}/{}", directory_, name), mode));
  files_.push_back(std::move(file));
  return files_.back().fd();
}

// One syncfs(2) writes the whole file system out, also what is not ours, but a thread's image has
// two kilobytes, and a sync of each of a thousand takes seconds.
Result<> StagedFileSet::Sync() {
  if (files_.size() <= kFilesToSyncEach) {
    for (StagedFile& file : files_) CKPT_TRY(file.Sync());
    return success();
  }
  if (syncfs(files_.front().fd()) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "syncfs(\"{}\")", directory_);
  }
  return success();
}

Result<> StagedFileSet::Commit() {
  CKPT_TRY(Sync());
  for (size_t i = 0; i < files_.size(); ++i) {
    Result<> renamed = files_[i].Rename();
    if (renamed.has_value()) continue;
    std::ranges::for_each(files_.begin(), files_.begin() + static_cast<std::ptrdiff_t>(i),
                          [](const StagedFile& done) { unlink(done.path().c_str()); });
    return renamed;
  }
  return SyncDirectory(directory_);
}

}  // namespace ckpt
