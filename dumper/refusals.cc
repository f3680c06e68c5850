#include "dumper/refusals.h"

namespace ckpt {

Result<> Refusals::AsResult(pid_t pid) const {
  if (findings_.empty()) return success();
  return MakeError(ErrorCode::kUnsupported, "process {} cannot be dumped:\n  {}", pid,
                   fmt::join(findings_, "\n  "));
}

}  // namespace ckpt
