// Bytes as they are in a file, compressed or not: the compression is recognised by its first bytes,
// and what is written is compressed alike. Streams of any length in little memory.
#ifndef FORMATS_COMPRESSED_STREAM_H_
#define FORMATS_COMPRESSED_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

enum class Compression : uint8_t { kNone, kGzip, kBzip2, kXz, kZstd };

// As the tools are called: "zstd"; "no compression".
std::string_view CompressionName(Compression compression);

// By magic: 1f 8b, "BZh", fd "7zXZ", 28 b5 2f fd or a skippable frame of zstd; else none.
Compression IdentifyCompression(Bytes first_bytes);
inline constexpr size_t kCompressionMagicBytes = 6;

// Reads from the current offset of a descriptor, which stays the caller's, to its end. Streams may
// consist of several frames or members, one after the other.
class DecompressedReader {
 public:
  virtual ~DecompressedReader() = default;

  virtual Compression compression() const = 0;
  // How many bytes were put into `buffer`; fewer than it has room for only at the end.
  // kBadFormat: the compressed bytes are broken or cut short.
  virtual Result<size_t> Read(std::span<std::byte> buffer) = 0;
};

// `name` is for errors. The descriptor must be of a file that can be read twice from its start.
Result<std::unique_ptr<DecompressedReader>> OpenDecompressed(int fd, std::string name);

// Writes to the current offset of a descriptor, which stays the caller's. zstd compresses at level
// 3 with all processors, the others at their usual level.
class CompressedWriter {
 public:
  virtual ~CompressedWriter() = default;

  virtual Result<> Write(Bytes bytes) = 0;
  // Ends the stream; without it what was written is not whole. Writing more starts another frame,
  // with zstd only.
  virtual Result<> Finish() = 0;
};

Result<std::unique_ptr<CompressedWriter>> CreateCompressed(int fd, std::string name,
                                                           Compression compression);

}  // namespace ckpt

#endif  // FORMATS_COMPRESSED_STREAM_H_
