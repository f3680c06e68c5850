// `imgtool encode`: an image from JSON.
#ifndef IMGTOOL_JSON_ENCODE_COMMAND_H_
#define IMGTOOL_JSON_ENCODE_COMMAND_H_

#include "imgtool/command.h"

namespace ckpt {

inline constexpr std::string_view kEncodeDescription =
    R"(Makes an image of the JSON of one: that of `imgtool decode`, plain, --pretty or --ndjson, or of
`crit decode`. Without JSON, or with `-`, that of standard input.

Keys that no message has, values of another type or out of range, names that no enum has, missing
required fields and payloads of another length than their entry says are errors, told with line,
column and path: x.json: line 1, column 84: entries[3].reg.pos: ...

OUT appears when it is whole; until then, and after an error, what was there before stays.
)";

void AddEncodeOptions(boost::program_options::options_description& options);
Result<int> RunEncode(const Invocation& invocation);

}  // namespace ckpt

#endif  // IMGTOOL_JSON_ENCODE_COMMAND_H_
