// One frame of a compressed pages image at a time. An object is one thread's.
#ifndef FORMATS_PAGE_CODEC_H_
#define FORMATS_PAGE_CODEC_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace ckpt {

// Levels of zstd. Those above, negative ones, trade more than half of the ratio for little time.
inline constexpr int kMinPageLevel = 1;
inline constexpr int kMaxPageLevel = 19;
inline constexpr int kDefaultPageLevel = 3;

class PageCompressor {
 public:
  explicit PageCompressor(int level);

  // A frame with its content's size and checksum; valid until the next call.
  Result<Bytes> Compress(Bytes pages);

 private:
  std::unique_ptr<ZSTD_CCtx_s, size_t (*)(ZSTD_CCtx_s*)> context_;
  std::vector<std::byte> frame_;
};

class PageDecompressor {
 public:
  PageDecompressor();

  // Fills `pages` from `frame`, which is one frame of just as many bytes. The error says what is
  // wrong, not where.
  Result<> Decompress(Bytes frame, std::span<std::byte> pages);

 private:
  std::unique_ptr<ZSTD_DCtx_s, size_t (*)(ZSTD_DCtx_s*)> context_;
};

}  // namespace ckpt

#endif  // FORMATS_PAGE_CODEC_H_
