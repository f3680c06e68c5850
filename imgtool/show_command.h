// `imgtool show`: images as JSON.
#ifndef IMGTOOL_SHOW_COMMAND_H_
#define IMGTOOL_SHOW_COMMAND_H_

#include "imgtool/command.h"

namespace ckpt {

inline constexpr std::string_view kShowDescription =
    R"(Prints each PATH as one JSON value with the field names and spellings of `crit decode`.

A PATH is one image, a dump directory, an archive with a dump in it (tar, plain or compressed by
gzip, bzip2, xz or zstd), or `-`, the standard input, for an image or an archive.

An image is {"magic": NAME, "entries": [{FIELD: VALUE, ..., "extra": PAYLOAD}, ...]}. A dump
is one object with a member for each of its files, in the order of their names: images
as above; pages and other raw images as {"raw": true, "type": NAME, "size_bytes": N}; symbolic
links, as `parent`, as {"link": TARGET}, not followed; other files as {"unknown": true,
"size_bytes": N}.

With --ndjson each image is a line with its magic, in a dump also its file, then a line for each
entry.

Bytes in strings that are not UTF-8 are written as \udc80 to \udcff, one for each byte. Fields
that this program does not know are not shown but counted on standard error.

A damaged image is shown up to the damage, with the reason as "error" beside "entries", and on
standard error; the others are shown whole, and the exit code is 4.
)";

void AddShowOptions(boost::program_options::options_description& options);
Result<int> RunShow(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_SHOW_COMMAND_H_
