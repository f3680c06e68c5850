// `imgtool info`: what images are, without what is in them.
#ifndef IMGTOOL_INFO_COMMAND_H_
#define IMGTOOL_INFO_COMMAND_H_

#include "imgtool/command.h"

namespace ckpt {

inline constexpr std::string_view kInfoDescription =
    R"(Prints a line for each image, or for each file of a dump: its name, its size in
bytes, how many entries it has, how many of its bytes are extra payload behind the messages, its
type, and what that type is. `-` stands where there is nothing to count.

A PATH is one image, a dump directory, an archive with a dump in it (tar, plain or compressed by
gzip, bzip2, xz or zstd), or `-`, the standard input, for an image or an archive.

With --json each PATH is one JSON object with a member for each file: {"type", "size_bytes",
"entries", "extra_bytes", "header"}, where "header" is "old" for images of version 1.

A damaged image has the reason instead, and on standard error; the exit code is then 4.
)";

void AddInfoOptions(boost::program_options::options_description& options);
Result<int> RunInfo(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_INFO_COMMAND_H_
