#include "process/proc_file.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "process/text_scanner.h"

namespace ckpt {

Result<std::vector<int>> ListNumbers(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  const int saved = errno;
  if (!directory) return ErrnoError(saved, "opendir(\"{}\")", path);
  std::vector<int> numbers;
  for (errno = 0; const dirent* entry = readdir(directory.get()); errno = 0) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    TextScanner scanner(name);
    const auto number = scanner.ReadDecimal();
    if (!number || !scanner.AtEnd() || !std::in_range<int>(*number)) {
      return MakeError(ErrorCode::kBadFormat, "{}: entry \"{}\" is no number", path, name);
    }
    numbers.push_back(static_cast<int>(*number));
  }
  const int read_saved = errno;
  if (read_saved != 0) return ErrnoError(read_saved, "readdir(\"{}\")", path);
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace ckpt
