// The files of a root filesystem that a dump is to be restored into, as its tasks will see them.
#ifndef IMGTOOL_CHECK_ROOT_FILES_H_
#define IMGTOOL_CHECK_ROOT_FILES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/result.h"

namespace ckpt {

struct RootFile {
  uint32_t mode = 0;  // all of st_mode
  uint64_t size_bytes = 0;
  std::optional<std::string> build_id;  // of an ELF file, where it was asked for and has one
};

class RootFiles {
 public:
  // `root` is the directory that the tasks' "/" is on this machine.
  static Result<RootFiles> Open(const std::string& root);

  // The file that `path`, absolute in the tasks' names, is: links on the way are followed, a link
  // at its end is not, and neither they nor ".." lead out of the root. Nothing where there is none.
  // Needs openat2(2), Linux 5.6.
  Result<std::optional<RootFile>> Find(const std::string& path, bool wants_build_id) const;

 private:
  RootFiles(std::string root, UniqueFd fd) : root_(std::move(root)), fd_(std::move(fd)) {}

  std::string root_;
  UniqueFd fd_;
};

}  // namespace ckpt

#endif  // IMGTOOL_CHECK_ROOT_FILES_H_
