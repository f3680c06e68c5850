// An image from the JSON that decode, ours or crit's, has made of one: JsonImageWriter backwards.
#ifndef FORMATS_IMAGE_FROM_JSON_H_
#define FORMATS_IMAGE_FROM_JSON_H_

#include <cstddef>
#include <string>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/byte_sink.h"
#include "formats/byte_source.h"

namespace ckpt {

// Payloads up to here may stand before other keys of their entry.
inline constexpr size_t kMaxHeldExtraBytes = size_t{1} << 20;

// Reads one image, as one value or in lines, plain or pretty, and gives its bytes to `out` as they
// are made: what came before an error has been given, too. Memory does not grow with the count of
// entries nor with extras. kBadFormat names line, column and path of what is wrong, besides:
// payloads that are not as long as their entries say, and the `error` of an image that was damaged.
// With several `threads`, many small entries are read by that many, with the same result.
Result<> WriteImageFromJson(const std::string& name, ByteSource& json, const ByteSink& out,
                            size_t threads = 1);

}  // namespace ckpt

#endif  // FORMATS_IMAGE_FROM_JSON_H_
