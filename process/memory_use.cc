#include "process/memory_use.h"

#include <fmt/format.h>

#include "process/proc_file.h"
#include "process/text_scanner.h"

namespace ckpt {

Result<uint64_t> ParsePrivateBytes(std::string_view status) {
  uint64_t kilobytes = 0;
  while (!status.empty()) {
    const std::string_view line = status.substr(0, status.find('\n'));
    status.remove_prefix(std::min(line.size() + 1, status.size()));
    const bool counts = line.starts_with("RssAnon:") || line.starts_with("VmSwap:");
    if (!counts) continue;
    TextScanner scanner(line.substr(line.find(':') + 1));
    scanner.SkipBlanks();
    const auto size = scanner.ReadDecimal();
    if (!size) return MakeError(ErrorCode::kBadFormat, "\"{}\": no number of kB", line);
    kilobytes += *size;
  }
  return kilobytes * 1024;
}

uint64_t ReadPrivateBytes(pid_t pid) {
  const Result<uint64_t> bytes =
      ReadProcFile(fmt::format("/proc/{}/status", pid), ParsePrivateBytes);
  return bytes.has_value() ? bytes.value() : 0;
}

}  // namespace ckpt
