// `imgtool decode`: one image as JSON from which encode makes it again.
#ifndef IMGTOOL_JSON_DECODE_COMMAND_H_
#define IMGTOOL_JSON_DECODE_COMMAND_H_

#include "imgtool/command.h"

namespace ckpt {

inline constexpr std::string_view kDecodeDescription =
    R"(Prints one image, or with `-` the one on standard input, as the JSON of `crit decode`.

What `imgtool encode` makes of it is that image again, byte for byte. Where it would not be, as for
fields that this program does not know, a line on standard error names the entry, and --lossless
puts what is needed into the JSON: keys `raw`, `extra_padding` and `img_version`.

A raw image (pages, netlink messages, a tar archive) is {"raw": true, "type": NAME,
"size_bytes": N, "extra": its bytes in base64}. `imgtool show` prints whole dumps.

With -o nothing is written when the image is damaged; else it is printed up to the damage.
)";

void AddDecodeOptions(boost::program_options::options_description& options);
Result<int> RunDecode(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_JSON_DECODE_COMMAND_H_
