// Looks files up in a union that is mounted on this machine, as a restored task would see them.
#ifndef IMGTOOL_UNION_FILES_H_
#define IMGTOOL_UNION_FILES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace ckpt {

struct FileFacts {
  uint64_t size_bytes = 0;
  uint32_t mode = 0;  // all of st_mode

  friend bool operator==(const FileFacts&, const FileFacts&) = default;
};

class UnionFiles {
 public:
  // `root` is the directory that the task's "/" is on this machine.
  static Result<UnionFiles> Open(const std::string& root);

  // The file that `path`, absolute in the task's names, is. Links and ".." do not lead out of the
  // root. Nothing when there is none. Needs openat2(2), Linux 5.6.
  Result<std::optional<FileFacts>> Find(const std::string& path) const;

 private:
  UnionFiles(std::string root, UniqueFd fd) : root_(std::move(root)), fd_(std::move(fd)) {}

  std::string root_;
  UniqueFd fd_;
};

// Whether a union file system (AUFS, overlayfs, or one in user space) is mounted at `path` itself.
bool IsUnionMountpoint(const std::string& path);

}  // namespace ckpt

#endif  // IMGTOOL_UNION_FILES_H_
