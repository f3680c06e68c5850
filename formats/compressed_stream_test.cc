#include "formats/compressed_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "formats/zstd_stream.h"

namespace ckpt {
namespace {

constexpr Compression kAll[] = {Compression::kNone, Compression::kGzip, Compression::kBzip2,
                                Compression::kXz, Compression::kZstd};

std::string SampleText(size_t size_bytes) {
  std::string text;
  for (size_t i = 0; text.size() < size_bytes; ++i) text += fmt::format("{} lines, ", i);
  text.resize(size_bytes);
  return text;
}

class CompressedStreamTest : public testing::Test {
 protected:
  ~CompressedStreamTest() override { unlink(path_.c_str()); }

  std::string Compressed(const std::string& text, Compression compression) const {
    const UniqueFd fd = OpenFile(path_, O_RDWR | O_CREAT | O_TRUNC, 0600).value();
    const auto writer = CreateCompressed(fd.get(), path_, compression).value();
    for (size_t at = 0; at < text.size(); at += 70001) {
      EXPECT_TRUE(writer->Write(AsBytes(text.substr(at, 70001))));
    }
    EXPECT_TRUE(writer->Finish());
    return ReadWholeFile(path_).value();
  }

  Result<std::string> Decompressed(const std::string& bytes, size_t step) const {
    CKPT_TRY(WriteWholeFile(path_, AsBytes(bytes), 0600));
    CKPT_TRY(const UniqueFd fd, OpenFile(path_, O_RDONLY));
    CKPT_TRY(const auto reader, OpenDecompressed(fd.get(), "a.tar"));
    std::string text;
    std::vector<std::byte> buffer(step);
    while (true) {
      CKPT_TRY(const size_t got, reader->Read(buffer));
      text += AsText(Bytes(buffer).first(got));
      if (got < step) return text;
    }
  }

  const std::string path_ = testing::TempDir() + "compressed_stream_test";
};

TEST_F(CompressedStreamTest, WhatIsWrittenIsReadAndRecognised) {
  for (const Compression compression : kAll) {
    for (const size_t size_bytes : {size_t{1}, size_t{1000}, size_t{3} << 20}) {
      const std::string text = SampleText(size_bytes);
      const std::string bytes = Compressed(text, compression);
      EXPECT_EQ(IdentifyCompression(AsBytes(bytes)), compression);
      const auto again = Decompressed(bytes, 65536);
      ASSERT_TRUE(again) << CompressionName(compression) << again.error().message;
      EXPECT_TRUE(again.value() == text) << CompressionName(compression) << size_bytes;
      EXPECT_TRUE(Decompressed(bytes, 1 << 20).value() == text);
    }
  }
}

TEST_F(CompressedStreamTest, StreamsOneBehindTheOtherAreOne) {
  for (const Compression compression :
       {Compression::kGzip, Compression::kBzip2, Compression::kXz, Compression::kZstd}) {
    const std::string both = Compressed("one ", compression) + Compressed("two", compression);
    EXPECT_EQ(Decompressed(both, 100).value(), "one two") << CompressionName(compression);
  }
}

TEST_F(CompressedStreamTest, FramesOfZstdMayBePassedOver) {
  const std::string skipped = ZstdSkippableHead(20) + std::string(12, 'x');
  const std::string frame = ZstdFrame(AsBytes("text")).value();
  EXPECT_EQ(Decompressed(skipped + frame + skipped + frame, 100).value(), "texttext");
  EXPECT_LE(frame.size(), MaxZstdFrameBytes(4));
}

TEST_F(CompressedStreamTest, WhatIsCutShortIsBroken) {
  for (const Compression compression : kAll) {
    if (compression == Compression::kNone) continue;
    const std::string bytes = Compressed(SampleText(100000), compression);
    for (const size_t length : {bytes.size() - 1, bytes.size() / 2, size_t{20}}) {
      const auto text = Decompressed(bytes.substr(0, length), 65536);
      ASSERT_TRUE(text.has_error()) << CompressionName(compression) << " " << length;
      EXPECT_EQ(text.error().code, ErrorCode::kBadFormat) << text.error().message;
    }
  }
}

TEST_F(CompressedStreamTest, AFullDiskIsReported) {
  for (const Compression compression : kAll) {
    const UniqueFd full = OpenFile("/dev/full", O_WRONLY).value();
    const auto writer = CreateCompressed(full.get(), "out.tar", compression).value();
    auto written = writer->Write(AsBytes(SampleText(1 << 20)));
    if (!written.has_error()) written = writer->Finish();
    ASSERT_TRUE(written.has_error()) << CompressionName(compression);
    EXPECT_NE(written.error().message.find("(ENOSPC)"), std::string::npos)
        << written.error().message;
  }
}

}  // namespace
}  // namespace ckpt
