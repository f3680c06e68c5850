#include "base/staged_file_set.h"

#include <unistd.h>

#include <algorithm>

namespace ckpt {

Result<> StagedFileSet::Add(const std::string& name, Bytes bytes, mode_t mode) {
  CKPT_TRY(const int fd, Create(name, mode));
  return WriteAll(fd, bytes, name);
}

Result<int> StagedFileSet::Create(const std::string& name, mode_t mode) {
  CKPT_TRY(StagedFile file, StagedFile::Create(fmt::format("{}/{}", directory_, name), mode));
  files_.push_back(std::move(file));
  return files_.back().fd();
}

Result<> StagedFileSet::Commit() {
  for (StagedFile& file : files_) CKPT_TRY(file.Sync());
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
