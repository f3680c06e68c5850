// `imgtool diff`: what changed between two dumps.
#ifndef IMGTOOL_EXPLORE_DIFF_COMMAND_H_
#define IMGTOOL_EXPLORE_DIFF_COMMAND_H_

#include "imgtool/command.h"

namespace ckpt {

inline constexpr std::string_view kDiffDescription =
    R"(Says what is gone (-), new (+) and changed (~) in B against A: processes, threads and their
registers, descriptors, sockets, mappings, mounts, pages, and the other images by field. Things are
the same that mean the same: a process by its pid, a descriptor by its number, a mapping by its
address, a mount by its mountpoint. Ids that a dumper gives away, its layout and its statistics are
not compared; so dumps of one idle process by CRIU and by ckpt-dump are the same.

Pages are compared by content, through the parents of both dumps, in ranges; with --no-pages they are
not.

The exit code is 0 where nothing differs, 1 where something does, 4 where an image is damaged.
)";

void AddDiffOptions(boost::program_options::options_description& options);
Result<int> RunDiff(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_DIFF_COMMAND_H_
