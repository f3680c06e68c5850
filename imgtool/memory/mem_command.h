// `imgtool mem`: the memory of a process of a dump.
#ifndef IMGTOOL_MEMORY_MEM_COMMAND_H_
#define IMGTOOL_MEMORY_MEM_COMMAND_H_

#include "imgtool/command.h"

namespace ckpt {

inline constexpr std::string_view kMemDescription =
    R"(Shows the memory of process PID as the dump and its parents hold it. What to do:

  map             its mappings, and where the pages of each are (when nothing else is said)
  dump            the bytes of --range, to -o FILE or standard output
  hexdump         the same as rows of hexadecimal numbers, of all memory without --range
  search TEXT     where TEXT is; with --regex, what matches the regular expression TEXT
  args, env       its arguments and environment, one line, or one line each; --null: their bytes

A page is `stored` in a pages image of the dump or of one of its parents; `zero`, memory that was
never written; `lazy`, left with the process; `file`, in the mapped file, which no dump holds;
`absent`, the kernel's own or in an image that the dump lacks. Only stored and zero pages have bytes
here. `dump` refuses a range with others, and writes nothing; with --fill it writes zeros for them
and says where. `hexdump` has a line beginning with # for them. `search` looks at stored pages.

A RANGE is START-END or START+BYTES, in hexadecimal; END is not in it. A regular expression is one
of RE2; its characters are bytes, ^ and $ the ends of lines, and it finds what is up to 65536 bytes
long. DUMP is a directory, an archive, or - for an archive on standard input.
)";

void AddMemOptions(boost::program_options::options_description& options);
Result<int> RunMem(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_MEM_COMMAND_H_
