// Several files of one directory that appear together: all are whole and synced before the first
// gets its final name, and a failure takes back those that had theirs.
#ifndef BASE_STAGED_FILE_SET_H_
#define BASE_STAGED_FILE_SET_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "base/file.h"
#include "base/result.h"

namespace ckpt {

class StagedFileSet {
 public:
  // `directory` exists. Nothing is seen in it under a final name before Commit().
  explicit StagedFileSet(std::string directory) : directory_(std::move(directory)) {}

  Result<> Add(const std::string& name, Bytes bytes, mode_t mode);
  // An empty file to be written through the descriptor, which stays valid until Commit().
  Result<int> Create(const std::string& name, mode_t mode);

  Result<> Commit();

  const std::string& directory() const { return directory_; }

 private:
  Result<> Sync();

  std::string directory_;
  std::vector<StagedFile> files_;
};

}  // namespace ckpt

#endif  // BASE_STAGED_FILE_SET_H_
