// A lock on a dump, directory or archive, that keeps two writers apart. It is the kernel's
// (flock(2)), so that it goes with the process that holds it, however that ends.
#ifndef IMGTOOL_DUMP_LOCK_H_
#define IMGTOOL_DUMP_LOCK_H_

#include <optional>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/result.h"

namespace ckpt {

class DumpLock {
 public:
  // Of what is at `path` now, a file or a directory. kUnsupported where another process has it.
  static Result<DumpLock> Take(const std::string& path);
  // Nothing where another process has it.
  static Result<std::optional<DumpLock>> TryTake(const std::string& path);

 private:
  explicit DumpLock(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace ckpt

#endif  // IMGTOOL_DUMP_LOCK_H_
