#include "process/task_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "process/proc_file.h"
#include "process/text_scanner.h"

namespace ckpt {

Result<std::vector<pid_t>> ListThreads(pid_t pid) {
  return ListNumbers(fmt::format("/proc/{}/task", pid));
}

Result<std::vector<pid_t>> ParseChildren(std::string_view text) {
  std::vector<pid_t> pids;
  TextScanner scanner(text);
  for (scanner.SkipBlanks(); !scanner.AtEnd(); scanner.SkipBlanks()) {
    const std::string_view rest = scanner.rest();
    const auto pid = scanner.ReadDecimal();
    if (!pid || !std::in_range<pid_t>(*pid)) {
      return MakeError(ErrorCode::kBadFormat, "found \"{}\", expected a pid", rest);
    }
    pids.push_back(static_cast<pid_t>(*pid));
  }
  return pids;
}

Result<std::vector<pid_t>> ListChildren(pid_t pid) {
  CKPT_TRY(const std::vector<pid_t> tids, ListThreads(pid));
  std::vector<pid_t> children;
  for (const pid_t tid : tids) {
    CKPT_TRY(const std::vector<pid_t> of_thread,
             ReadProcFile(fmt::format("/proc/{}/task/{}/children", pid, tid), ParseChildren));
    children.insert(children.end(), of_thread.begin(), of_thread.end());
  }
  std::ranges::sort(children);
  return children;
}

}  // namespace ckpt
