// Address ranges on the command line.
#ifndef IMGTOOL_MEMORY_ADDRESS_TEXT_H_
#define IMGTOOL_MEMORY_ADDRESS_TEXT_H_

#include <string_view>

#include "base/result.h"
#include "imgtool/memory/process_memory.h"

namespace ckpt {

// "START-END" as /proc/PID/maps has it, or "START+BYTES": hexadecimal numbers, with or without 0x.
// END is not in the range. kUsage where it is no such text, or the range is empty.
Result<AddressRange> ParseAddressRange(std::string_view text);

}  // namespace ckpt

#endif  // IMGTOOL_MEMORY_ADDRESS_TEXT_H_
