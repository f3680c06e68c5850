// The zstd streams of compressed_stream.h, and single frames of it.
#ifndef FORMATS_ZSTD_STREAM_H_
#define FORMATS_ZSTD_STREAM_H_

#include <memory>
#include <string>

#include "base/byte_reader.h"
#include "base/result.h"
#include "formats/compressed_stream.h"

namespace ckpt {

Result<std::unique_ptr<DecompressedReader>> OpenZstdReader(int fd, std::string name);
Result<std::unique_ptr<CompressedWriter>> CreateZstdWriter(int fd, std::string name);

// One frame with its checksum, at the level of the writer.
Result<std::string> ZstdFrame(Bytes bytes);

// What a frame of `size_bytes` has at most.
size_t MaxZstdFrameBytes(size_t size_bytes);

// The head of a frame that readers pass over and that has this many bytes with its head: at least
// kSkippableHeadBytes, less than 4 GiB. What is behind the head may be anything.
inline constexpr size_t kSkippableHeadBytes = 8;
std::string ZstdSkippableHead(size_t size_bytes);

}  // namespace ckpt

#endif  // FORMATS_ZSTD_STREAM_H_
