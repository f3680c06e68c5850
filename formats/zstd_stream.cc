#include "formats/zstd_stream.h"

#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"

namespace ckpt {

namespace {

constexpr int kLevel = 3;
// What a stream may ask of its reader's memory: as `zstd -d` allows.
constexpr int kMaxWindowLog = 27;

template <typename T, typename R>
using ZstdPtr = std::unique_ptr<T, R (*)(T*)>;

Error Broken(const std::string& name, const char* why) {
  return MakeError(ErrorCode::kBadFormat, "{}: zstd: {}", name, why);
}

class ZstdReader : public DecompressedReader {
 public:
  ZstdReader(int fd, std::string name)
      : fd_(fd),
        name_(std::move(name)),
        context_(ZSTD_createDCtx(), ZSTD_freeDCtx),
        compressed_(ZSTD_DStreamInSize()) {
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  }

  Compression compression() const override { return Compression::kZstd; }

  Result<size_t> Read(std::span<std::byte> buffer) override {
    ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
    while (output.pos < output.size) {
      if (input_.pos == input_.size && !may_hold_more_) {
        CKPT_TRY(const bool has_more, Refill());
        if (!has_more && is_inside_frame_) return Broken(name_, "the stream is cut short");
        if (!has_more) break;
      }
      const size_t left = ZSTD_decompressStream(context_.get(), &output, &input_);
      if (ZSTD_isError(left) != 0) return Broken(name_, ZSTD_getErrorName(left));
      is_inside_frame_ = left != 0;
      may_hold_more_ = is_inside_frame_ && output.pos == output.size;
    }
    return output.pos;
  }

 private:
  // False at the end of the file.
  Result<bool> Refill() {
    while (true) {
      const ssize_t got = read(fd_, compressed_.data(), compressed_.size());
      const int saved = errno;
      if (got < 0 && saved == EINTR) continue;
      if (got < 0) return ErrnoError(saved, "read({})", name_);
      input_ = {compressed_.data(), static_cast<size_t>(got), 0};
      return got > 0;
    }
  }

  int fd_;
  std::string name_;
  ZstdPtr<ZSTD_DCtx, size_t> context_;
  std::vector<std::byte> compressed_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool is_inside_frame_ = false;
  bool may_hold_more_ = false;  // the context has bytes that found no room yet
};

class ZstdWriter : public CompressedWriter {
 public:
  ZstdWriter(int fd, std::string name)
      : fd_(fd),
        name_(std::move(name)),
        context_(ZSTD_createCCtx(), ZSTD_freeCCtx),
        compressed_(ZSTD_CStreamOutSize()) {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
    // A library without threads refuses this and compresses in the caller's.
    const int processors = static_cast<int>(std::thread::hardware_concurrency());
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_nbWorkers, processors);
  }

  Result<> Write(Bytes bytes) override {
    is_begun_ = true;
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    while (input.pos < input.size) CKPT_TRY(Step(&input, ZSTD_e_continue));
    return success();
  }

  Result<> Finish() override {
    if (!std::exchange(is_begun_, false)) return success();
    ZSTD_inBuffer input{nullptr, 0, 0};
    while (true) {
      CKPT_TRY(const size_t left, Step(&input, ZSTD_e_end));
      if (left == 0) return success();
    }
  }

 private:
  Result<size_t> Step(ZSTD_inBuffer* input, ZSTD_EndDirective directive) {
    ZSTD_outBuffer output{compressed_.data(), compressed_.size(), 0};
    const size_t left = ZSTD_compressStream2(context_.get(), &output, input, directive);
    if (ZSTD_isError(left) != 0) {
      return MakeError(ErrorCode::kInternal, "{}: zstd: {}", name_, ZSTD_getErrorName(left));
    }
    CKPT_TRY(WriteAll(fd_, Bytes(compressed_).first(output.pos), name_));
    return left;
  }

  int fd_;
  std::string name_;
  ZstdPtr<ZSTD_CCtx, size_t> context_;
  std::vector<std::byte> compressed_;
  bool is_begun_ = false;
};

}  // namespace

Result<std::unique_ptr<DecompressedReader>> OpenZstdReader(int fd, std::string name) {
  return std::unique_ptr<DecompressedReader>(std::make_unique<ZstdReader>(fd, std::move(name)));
}

Result<std::unique_ptr<CompressedWriter>> CreateZstdWriter(int fd, std::string name) {
  return std::unique_ptr<CompressedWriter>(std::make_unique<ZstdWriter>(fd, std::move(name)));
}

Result<std::string> ZstdFrame(Bytes bytes) {
  const ZstdPtr<ZSTD_CCtx, size_t> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string frame(MaxZstdFrameBytes(bytes.size()), '\0');
  const size_t size_bytes =
      ZSTD_compress2(context.get(), frame.data(), frame.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size_bytes) != 0) {
    return MakeError(ErrorCode::kInternal, "zstd: {}", ZSTD_getErrorName(size_bytes));
  }
  frame.resize(size_bytes);
  return frame;
}

// zstd counts the checksum in.
size_t MaxZstdFrameBytes(size_t size_bytes) { return ZSTD_compressBound(size_bytes) + 4; }

std::string ZstdSkippableHead(size_t size_bytes) {
  CKPT_CHECK(size_bytes >= kSkippableHeadBytes && size_bytes - kSkippableHeadBytes <= UINT32_MAX);
  const auto content_bytes = static_cast<uint32_t>(size_bytes - kSkippableHeadBytes);
  std::string head("\x50\x2a\x4d\x18", 4);
  for (int shift = 0; shift < 32; shift += 8) {
    head += static_cast<char>(content_bytes >> shift & 0xff);
  }
  return head;
}

}  // namespace ckpt
