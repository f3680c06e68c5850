#include "formats/pages_image.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "base/file.h"
#include "formats/page_compression.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

class PagesImageTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/image.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string Put(const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(WriteWholeFile(directory_ + "/" + name, AsBytes(bytes), 0600));
    return directory_ + "/" + name;
  }

  std::string PutCompressed(const std::string& name, const std::string& pages) {
    const std::string path = directory_ + "/" + name;
    const PagesImage plain = PagesImage::OpenPlain(Put("plain", pages)).value();
    const UniqueFd fd = OpenFile(path, O_RDWR | O_CREAT | O_TRUNC, 0600).value();
    const PagesToWrite image = PagesOf(plain, fd.get(), path);
    EXPECT_TRUE(CompressPages({&image, 1}, {}));
    fs::remove(directory_ + "/plain");
    return path;
  }

  Result<PagesImage> OpenFirst() {
    return PagesImage::Open(DumpDirectory::Open(directory_).value(), 1);
  }

  static std::string Read(const PagesImage& image, uint64_t offset, size_t size_bytes) {
    std::string bytes(size_bytes, '?');
    auto done = image.Read(offset, std::as_writable_bytes(std::span(bytes)));
    return done.has_error() ? done.error().message : bytes;
  }

  std::string directory_;
};

std::string Pages(size_t size_bytes) {
  std::string pages;
  for (size_t i = 0; pages.size() < size_bytes; ++i) pages += fmt::format("{} ", i * i);
  pages.resize(size_bytes);
  return pages;
}

TEST_F(PagesImageTest, BothFormsReadAlikeAtAnyOffset) {
  const std::string pages = Pages(3 * kPageFrameBytes + 4096);
  Put("pages-1.img", pages);
  const PagesImage plain = OpenFirst().value();
  fs::remove(directory_ + "/pages-1.img");
  PutCompressed("pages-1.img.zst", pages);
  const PagesImage compressed = OpenFirst().value();
  EXPECT_FALSE(plain.is_compressed());
  EXPECT_TRUE(compressed.is_compressed());
  EXPECT_EQ(compressed.size_bytes(), plain.size_bytes());
  EXPECT_EQ(compressed.frames().size(), 4U);
  EXPECT_LT(compressed.file_bytes(), plain.file_bytes() / 2);
  for (const uint64_t offset : {uint64_t{0}, uint64_t{kPageFrameBytes - 4096},
                                uint64_t{2 * kPageFrameBytes}, uint64_t{3 * kPageFrameBytes}}) {
    for (const size_t size_bytes : {size_t{0}, size_t{1}, size_t{4096}, 2 * kPageFrameBytes}) {
      const size_t there = std::min<size_t>(size_bytes, pages.size() - offset);
      EXPECT_EQ(Read(plain, offset, there), pages.substr(offset, there));
      EXPECT_EQ(Read(compressed, offset, there), pages.substr(offset, there));
    }
  }
}

TEST_F(PagesImageTest, NamesTheEnd) {
  const std::string plain = Put("pages-1.img", Pages(8192));
  EXPECT_EQ(Read(OpenFirst().value(), 4096, 8192),
            plain + ": ends at byte 8192, 4096 bytes before it should");
  fs::remove(plain);
  const std::string path = PutCompressed("pages-1.img.zst", Pages(8192));
  EXPECT_EQ(Read(OpenFirst().value(), 4096, 8192),
            path + ": 8192 bytes of pages, 4096 bytes from 8192 are wanted");
}

TEST_F(PagesImageTest, RefusesADumpWithBothForms) {
  Put("pages-1.img", Pages(4096));
  const std::string path = PutCompressed("pages-1.img.zst", Pages(4096));
  EXPECT_EQ(OpenFirst().error().message,
            path + ": the dump has pages-1.img as well, one of them is allowed");
}

TEST_F(PagesImageTest, NamesTheMissingPlainOne) {
  EXPECT_EQ(OpenFirst().error().code, ErrorCode::kNotFound);
}

TEST_F(PagesImageTest, WaitsForNoFifo) {
  const std::string path = directory_ + "/pages-1.img";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(OpenFirst().error().message, path + ": no file (mode 010600)");
}

TEST_F(PagesImageTest, NamesABrokenFrame) {
  const std::string path = PutCompressed("pages-1.img.zst", Pages(2 * kPageFrameBytes));
  const uint64_t offset = OpenFirst().value().frames()[1].file_offset;
  std::string bytes = ReadWholeFile(path).value();
  bytes[offset + 100] = static_cast<char>(~bytes[offset + 100]);
  Put("pages-1.img.zst", bytes);
  const PagesImage image = OpenFirst().value();
  EXPECT_EQ(Read(image, 0, 4096), Pages(4096));
  const std::string message = Read(image, kPageFrameBytes, 4096);
  EXPECT_TRUE(message.starts_with(fmt::format("{}: frame 1 at offset {}: zstd: ", path, offset)))
      << message.substr(0, 200);
}

// Whatever is wrong: the pages or an error, never others.
void ExpectPagesOrError(const std::string& path, const std::string& pages) {
  auto image = PagesImage::OpenCompressed(path);
  if (image.has_error()) {
    EXPECT_EQ(image.error().code, ErrorCode::kBadFormat) << image.error().message;
    EXPECT_TRUE(image.error().message.starts_with(path + ": at offset ")) << image.error().message;
    return;
  }
  if (image.value().size_bytes() != pages.size()) return;  // the pagemap tells
  std::string bytes(pages.size(), '?');
  auto done = image.value().Read(0, std::as_writable_bytes(std::span(bytes)));
  if (done.has_error()) {
    EXPECT_EQ(done.error().code, ErrorCode::kBadFormat);
  } else {
    EXPECT_EQ(bytes, pages);
  }
}

// Two pages that take a few hundred bytes.
std::string ShortPages() { return Pages(400) + std::string(8192 - 400, '\0'); }

TEST_F(PagesImageTest, FacesEveryPrefix) {
  const std::string path = PutCompressed("whole", ShortPages());
  for (auto size = fs::file_size(path); size > 0;) {
    fs::resize_file(path, --size);
    EXPECT_EQ(PagesImage::OpenCompressed(path).error().code, ErrorCode::kBadFormat) << size;
  }
}

TEST_F(PagesImageTest, FacesEveryFlippedBit) {
  const std::string pages = ShortPages();
  const std::string path = PutCompressed("whole", pages);
  const std::string bytes = ReadWholeFile(path).value();
  const UniqueFd fd = OpenFile(path, O_WRONLY).value();
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes.substr(bit / 8, 1);
    flipped[0] = static_cast<char>(flipped[0] ^ 1 << bit % 8);
    ASSERT_TRUE(WriteAllAt(fd.get(), AsBytes(flipped), bit / 8, path));
    ExpectPagesOrError(path, pages);
    ASSERT_TRUE(WriteAllAt(fd.get(), AsBytes(bytes).subspan(bit / 8, 1), bit / 8, path));
  }
}

}  // namespace
}  // namespace ckpt
