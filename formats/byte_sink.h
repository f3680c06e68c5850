// Where bytes go that are made from front to back.
#ifndef FORMATS_BYTE_SINK_H_
#define FORMATS_BYTE_SINK_H_

#include <functional>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

// Takes what follows what it took before.
using ByteSink = std::function<Result<>(Bytes)>;

}  // namespace ckpt

#endif  // FORMATS_BYTE_SINK_H_
