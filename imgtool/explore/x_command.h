// `imgtool x`: what is in a dump, as tables.
#ifndef IMGTOOL_EXPLORE_X_COMMAND_H_
#define IMGTOOL_EXPLORE_X_COMMAND_H_

#include "imgtool/command.h"

namespace ckpt {

inline constexpr std::string_view kXDescription =
    R"(Shows what was running. The view is one of

  ps       processes and threads, their state, and of zombies how they ended
  fds      descriptors, working and root directories, executables
  mems     mappings, as /proc/PID/maps has them
  rss      mappings with the pages that the dump has of them
  sockets  sockets of all families, with their queues and who has them
  mounts   the mounts of each mount namespace, as trees

What the dump lacks is shown as missing. A damaged image is reported on standard error and taken for
a missing one; the exit code is then 4. Bytes that are not printable are octal escapes in tables; in
JSON, bytes that are no UTF-8 are lone surrogates, as in `show`.
)";

void AddXOptions(boost::program_options::options_description& options);
Result<int> RunX(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_X_COMMAND_H_
