#include "process/proc_file.h"

#include <algorithm>

#include "process/text_scanner.h"

namespace ckpt {

Result<std::vector<int>> ListNumbers(const std::string& path) {
  CKPT_TRY(const std::vector<std::string> names, ListDirectory(path));
  std::vector<int> numbers;
  for (const std::string& name : names) {
    TextScanner scanner(name);
    const auto number = scanner.ReadDecimal();
    if (!number || !scanner.AtEnd() || !std::in_range<int>(*number)) {
      return MakeError(ErrorCode::kBadFormat, "{}: entry \"{}\" is no number", path, name);
    }
    numbers.push_back(static_cast<int>(*number));
  }
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace ckpt
