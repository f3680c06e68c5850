// Opens files by the paths that a dump holds, and checks that they are the files that it means.
#ifndef RESTORER_PATH_OPENER_H_
#define RESTORER_PATH_OPENER_H_

#include <string>
#include <utility>

#include "base/file.h"
#include "base/result.h"
#include "restorer/restore_plan.h"

namespace ckpt {

class PathOpener {
 public:
  // Paths lead from the directory `root`, also through symbolic links and ".."; an empty `root` is
  // this process's own.
  static Result<PathOpener> Create(const std::string& root);

  // As open(2) with `flags`. The kind of file, its mode and its size are compared with what the
  // dump says before it is opened, so that no device or pipe is touched that the dump does not
  // mean. Errors begin with file.place and the path.
  Result<UniqueFd> Open(const FilePlan& file, int flags) const;

 private:
  explicit PathOpener(UniqueFd root) : root_(std::move(root)) {}
  Result<UniqueFd> OpenPath(const std::string& path, int flags) const;

  UniqueFd root_;  // not valid: our own
};

}  // namespace ckpt

#endif  // RESTORER_PATH_OPENER_H_
