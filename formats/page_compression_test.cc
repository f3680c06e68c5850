#include "formats/page_compression.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <random>

#include "base/file.h"
#include "formats/zstd_stream.h"

namespace ckpt {
namespace {

std::string MakePages(size_t size_bytes) {
  std::mt19937 random(7);
  std::string pages(size_bytes, '\0');
  for (size_t i = 0; i < size_bytes; i += 1 + random() % 64) pages[i] = static_cast<char>(random());
  return pages;
}

class PageCompressionTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) { return testing::TempDir() + "/" + name; }

  static PagesToWrite Source(const std::string& pages, int fd) {
    return {.size_bytes = pages.size(),
            .read = [&pages](uint64_t offset, std::span<std::byte> buffer) -> Result<Bytes> {
              return AsBytes(pages).subspan(offset, buffer.size());
            },
            .fd = fd,
            .name = "p"};
  }

  Result<uint64_t> Compress(const std::vector<std::string>& images, size_t thread_count) {
    std::vector<UniqueFd> files;
    std::vector<PagesToWrite> to_write;
    for (size_t i = 0; i < images.size(); ++i) {
      CKPT_TRY(files.emplace_back(), OpenFile(Path(fmt::format("pages-{}.img.zst", i)),
                                              O_RDWR | O_CREAT | O_TRUNC, 0600));
      to_write.push_back(Source(images[i], files.back().get()));
    }
    return CompressPages(to_write, {.thread_count = thread_count, .progress = progress_});
  }

  std::string Read(const std::string& name) { return ReadWholeFile(Path(name)).value(); }

  PageProgress progress_;
};

TEST_F(PageCompressionTest, ImagesBecomeWhatTheyWere) {
  const std::vector<std::string> images = {MakePages(3 * kPageFrameBytes + 4096), "",
                                           MakePages(4096), std::string(kPageFrameBytes, '\0')};
  const auto written = Compress(images, 3);
  ASSERT_TRUE(written.has_value()) << written.error().message;
  uint64_t size_bytes = 0;
  for (size_t i = 0; i < images.size(); ++i) {
    const std::string name = fmt::format("pages-{}.img.zst", i);
    size_bytes += Read(name).size();
    const auto image = PagesImage::OpenCompressed(Path(name));
    ASSERT_TRUE(image.has_value()) << image.error().message;
    EXPECT_EQ(image.value().size_bytes(), images[i].size());
    const UniqueFd plain = OpenFile(Path("plain"), O_RDWR | O_CREAT | O_TRUNC, 0600).value();
    const PagesToWrite back = PagesOf(image.value(), plain.get(), "plain");
    ASSERT_TRUE(WritePages({&back, 1}, {.thread_count = 2}));
    EXPECT_EQ(Read("plain"), images[i]);
  }
  EXPECT_EQ(written.value(), size_bytes);
}

TEST_F(PageCompressionTest, LongRunsOfZerosTakeNoRoom) {
  const std::string zeros(4 * kPageFrameBytes - 4096, '\0');
  const std::string pages = MakePages(4096) + zeros + MakePages(4096) + zeros;
  const UniqueFd plain = OpenFile(Path("plain"), O_RDWR | O_CREAT | O_TRUNC, 0600).value();
  const PagesToWrite image = Source(pages, plain.get());
  ASSERT_TRUE(WritePages({&image, 1}, {.thread_count = 2}));
  struct stat status {};
  ASSERT_EQ(fstat(plain.get(), &status), 0);
  EXPECT_LT(static_cast<size_t>(status.st_blocks) * 512, kPageFrameBytes);
  EXPECT_TRUE(Read("plain") == pages);
}

TEST_F(PageCompressionTest, WhatIsWrittenDoesNotDependOnTheThreads) {
  const std::vector<std::string> images = {MakePages(9 * kPageFrameBytes), MakePages(4096)};
  ASSERT_TRUE(Compress(images, 1));
  const std::string one = Read("pages-0.img.zst") + Read("pages-1.img.zst");
  ASSERT_TRUE(Compress(images, 5));
  EXPECT_EQ(Read("pages-0.img.zst") + Read("pages-1.img.zst"), one);
}

TEST_F(PageCompressionTest, AnyDecompressorReadsIt) {
  const std::string pages = MakePages(2 * kPageFrameBytes + 8192);
  ASSERT_TRUE(Compress({pages}, 2));
  const UniqueFd fd = OpenFile(Path("pages-0.img.zst"), O_RDONLY).value();
  const auto reader = OpenZstdReader(fd.get(), "p").value();
  std::string back(pages.size() + 1, '?');
  ASSERT_EQ(reader->Read(std::as_writable_bytes(std::span(back))).value(), pages.size());
  back.resize(pages.size());
  EXPECT_EQ(back, pages);
}

TEST_F(PageCompressionTest, TellsHowFarItIsAndStopsWhenTold) {
  uint64_t done_bytes = 0;
  progress_ = [&](uint64_t done, uint64_t total) -> Result<> {
    EXPECT_EQ(total, 4 * kPageFrameBytes);
    done_bytes = done;
    return success();
  };
  ASSERT_TRUE(Compress({std::string(4 * kPageFrameBytes, 'x')}, 2));
  EXPECT_EQ(done_bytes, 4 * kPageFrameBytes);
  progress_ = [](uint64_t, uint64_t) { return MakeError(ErrorCode::kSystem, "interrupted"); };
  EXPECT_EQ(Compress({std::string(4 * kPageFrameBytes, 'x')}, 2).error().message, "interrupted");
}

TEST_F(PageCompressionTest, ZerosAreWhatCompressingThemGives) {
  for (const size_t size_bytes : {size_t{0}, size_t{4096}, 2 * kPageFrameBytes + 8192}) {
    ASSERT_TRUE(Compress({std::string(size_bytes, '\0')}, 1));
    EXPECT_EQ(CompressedZeros(size_bytes).value(), Read("pages-0.img.zst"));
  }
}

TEST_F(PageCompressionTest, AFullDiskIsAnError) {
  const std::string pages = MakePages(4 * kPageFrameBytes);
  const UniqueFd full = OpenFile("/dev/full", O_WRONLY).value();
  const PagesToWrite image = Source(pages, full.get());
  EXPECT_EQ(CompressPages({&image, 1}, {.thread_count = 3}).error().code, ErrorCode::kSystem);
}

}  // namespace
}  // namespace ckpt
