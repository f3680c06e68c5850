// `imgtool types`: the table of image types.
#ifndef IMGTOOL_TYPES_COMMAND_H_
#define IMGTOOL_TYPES_COMMAND_H_

#include "imgtool/command.h"

namespace ckpt {

inline constexpr std::string_view kTypesDescription =
    R"(Prints a line for each type of image: its name as crit spells it, the names of its files (%d is
an id in decimal, %x in hexadecimal), its magic, how it is framed, the message of its entries (of
the first one and of the others, where these differ), what follows a message as extra payload, and
what it is. `-` stands where there is none.

Framings: `entries`, and `head+entries` where the first one is of another message, are magics and
then messages with their lengths; `raw` is the bytes of another format; `legacy-pages` are magics
and then pages, each behind its address.

With --json it is an array with an object for each type: {"name", "file", "magic", "prefix",
"framing", "head_message", "message", "extra", "by", "doc"}, where what there is none of is null.
)";

void AddTypesOptions(boost::program_options::options_description& options);
Result<int> RunTypes(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_TYPES_COMMAND_H_
