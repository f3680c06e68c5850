// Files and directories of /proc on their way to a parser.
#ifndef PROCESS_PROC_FILE_H_
#define PROCESS_PROC_FILE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace ckpt {

// The whole file, parsed; errors of `parse` get the path in front. A process that is gone is
// kNotFound (its directory is) or kProcessGone (it went while the file was open).
template <typename Value>
Result<Value> ReadProcFile(const std::string& path, Result<Value> (*parse)(std::string_view)) {
  CKPT_TRY(const std::string text, ReadWholeFile(path));
  auto value = parse(text);
  if (value.has_error()) return std::move(value).error().In(path);
  return value;
}

// The entries of a directory whose names are all numbers (fd, task), ascending.
Result<std::vector<int>> ListNumbers(const std::string& path);

}  // namespace ckpt

#endif  // PROCESS_PROC_FILE_H_
