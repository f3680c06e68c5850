#include "restorer/tty_maker.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace ckpt {

Result<UniqueFd> OpenTerminal(const FilePlan& file) {
  if (isatty(STDIN_FILENO) == 0) {
    return MakeError(ErrorCode::kUsage,
                     "{}: a terminal is to take its place, and the standard input is none",
                     file.place);
  }
  Result<UniqueFd> opened = OpenFile("/proc/self/fd/0", file.flags | O_NOCTTY);
  if (opened.has_error()) return std::move(opened).error().In(file.place);
  return opened;
}

}  // namespace ckpt
