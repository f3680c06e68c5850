#include "formats/page_codec.h"

#include <zstd.h>

#include "formats/zstd_stream.h"

namespace ckpt {

namespace {

Error Broken(const char* why) { return MakeError(ErrorCode::kBadFormat, "zstd: {}", why); }

}  // namespace

PageCompressor::PageCompressor(int level) : context_(ZSTD_createCCtx(), ZSTD_freeCCtx) {
  CKPT_CHECK(context_ && level >= kMinPageLevel && level <= kMaxPageLevel);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
}

Result<Bytes> PageCompressor::Compress(Bytes pages) {
  frame_.resize(MaxZstdFrameBytes(pages.size()));
  const size_t size_bytes =
      ZSTD_compress2(context_.get(), frame_.data(), frame_.size(), pages.data(), pages.size());
  if (ZSTD_isError(size_bytes) != 0) {
    return MakeError(ErrorCode::kInternal, "zstd: {}", ZSTD_getErrorName(size_bytes));
  }
  return Bytes(frame_).first(size_bytes);
}

PageDecompressor::PageDecompressor() : context_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
  CKPT_CHECK(context_);
}

Result<> PageDecompressor::Decompress(Bytes frame, std::span<std::byte> pages) {
  const size_t frame_bytes = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(frame_bytes) != 0) return Broken(ZSTD_getErrorName(frame_bytes));
  if (frame_bytes != frame.size()) {
    return MakeError(ErrorCode::kBadFormat, "zstd: the frame has {} bytes, the seek table says {}",
                     frame_bytes, frame.size());
  }
  // It writes no byte behind `pages`, and needs no window beside it, whatever the frame claims.
  const size_t got =
      ZSTD_decompressDCtx(context_.get(), pages.data(), pages.size(), frame.data(), frame.size());
  if (ZSTD_isError(got) != 0) return Broken(ZSTD_getErrorName(got));
  if (got == pages.size()) return success();
  return MakeError(ErrorCode::kBadFormat, "zstd: {} bytes of pages, the seek table says {}", got,
                   pages.size());
}

}  // namespace ckpt
