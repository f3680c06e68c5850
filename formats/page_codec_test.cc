#include "formats/page_codec.h"

#include <gtest/gtest.h>

#include "formats/zstd_stream.h"

namespace ckpt {
namespace {

std::string Compressed(const std::string& pages) {
  PageCompressor compressor(kDefaultPageLevel);
  return std::string(AsText(compressor.Compress(AsBytes(pages)).value()));
}

std::string MessageOf(const std::string& frame, size_t size_bytes) {
  PageDecompressor decompressor;
  std::vector<std::byte> pages(size_bytes);
  auto done = decompressor.Decompress(AsBytes(frame), pages);
  return done.has_error() ? done.error().message : "";
}

TEST(PageCodecTest, AFrameBecomesWhatItWas) {
  for (const int level : {kMinPageLevel, kDefaultPageLevel, kMaxPageLevel}) {
    const std::string pages = std::string(5000, 'a') + "b" + std::string(3191, 'c');
    PageCompressor compressor(level);
    const Bytes frame = compressor.Compress(AsBytes(pages)).value();
    EXPECT_LT(frame.size(), 100U);
    std::string back(pages.size(), '?');
    PageDecompressor decompressor;
    ASSERT_TRUE(decompressor.Decompress(frame, std::as_writable_bytes(std::span(back))));
    EXPECT_EQ(back, pages);
  }
}

TEST(PageCodecTest, RefusesAFrameOfAnotherSize) {
  const std::string frame = Compressed(std::string(8192, 'x'));
  EXPECT_EQ(MessageOf(frame, 8192), "");
  EXPECT_EQ(MessageOf(frame, 4096), "zstd: Destination buffer is too small");
  EXPECT_EQ(MessageOf(frame, 8193), "zstd: 8192 bytes of pages, the seek table says 8193");
  EXPECT_EQ(MessageOf(frame.substr(0, frame.size() - 1), 8192), "zstd: Src size is incorrect");
  const std::string two = frame + frame;
  EXPECT_EQ(MessageOf(two, 16384),
            fmt::format("zstd: the frame has {} bytes, the seek table says {}", frame.size(),
                        two.size()));
  EXPECT_EQ(MessageOf(ZstdSkippableHead(8), 4096),
            "zstd: 0 bytes of pages, the seek table says 4096");
  EXPECT_EQ(MessageOf("no frame", 4096), "zstd: Unknown frame descriptor");
}

TEST(PageCodecTest, NoticesEveryFlippedBit) {
  std::string pages;
  for (int i = 0; i < 4096; ++i) pages += static_cast<char>(i * i >> 3);
  std::string frame = Compressed(pages);
  for (size_t bit = 0; bit < frame.size() * 8; ++bit) {
    frame[bit / 8] = static_cast<char>(frame[bit / 8] ^ 1 << bit % 8);
    PageDecompressor decompressor;
    std::string back(pages.size(), '?');
    auto done = decompressor.Decompress(AsBytes(frame), std::as_writable_bytes(std::span(back)));
    // Some bits of the frame's head have no meaning.
    if (done.has_error()) {
      EXPECT_EQ(done.error().code, ErrorCode::kBadFormat);
    } else {
      EXPECT_EQ(back, pages) << bit;
    }
    frame[bit / 8] = static_cast<char>(frame[bit / 8] ^ 1 << bit % 8);
  }
}

}  // namespace
}  // namespace ckpt
