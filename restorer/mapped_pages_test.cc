#include "restorer/mapped_pages.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/file.h"
#include "formats/page_compression.h"

namespace ckpt {
namespace {

std::string PathOf(const std::string& name) { return ::testing::TempDir() + "/" + name; }

SharedPages ImageOf(const std::string& content) {
  EXPECT_TRUE(WriteWholeFile(PathOf("plain"), AsBytes(content), 0600).has_value());
  return std::make_shared<const PagesImage>(PagesImage::OpenPlain(PathOf("plain")).value());
}

SharedPages CompressedImageOf(const std::string& content) {
  const SharedPages plain = ImageOf(content);
  const UniqueFd fd = OpenFile(PathOf("zstd"), O_RDWR | O_CREAT | O_TRUNC, 0600).value();
  const PagesToWrite pages = PagesOf(*plain, fd.get(), "zstd");
  EXPECT_TRUE(CompressPages({&pages, 1}, {}).has_value());
  return std::make_shared<const PagesImage>(PagesImage::OpenCompressed(PathOf("zstd")).value());
}

PagesPlan Page(size_t source, uint64_t offset) {
  return {.range = {}, .source = source, .offset_bytes = offset};
}

TEST(MappedPagesTest, PagesAreComparedByWhatTheyHold) {
  const std::vector<SharedPages> images = {
      ImageOf(std::string(kPageSize, 'a') + std::string(kPageSize, 'b')),
      ImageOf(std::string(kPageSize, 'b')), ImageOf("")};
  const Result<MappedPages> pages = MappedPages::Map(images);
  ASSERT_TRUE(pages.has_value()) << pages.error().message;
  EXPECT_TRUE(pages.value().IsSame(Page(0, kPageSize), Page(1, 0)));
  EXPECT_FALSE(pages.value().IsSame(Page(0, 0), Page(1, 0)));
  EXPECT_TRUE(pages.value().IsSame(Page(0, 0), Page(0, 0)));
}

TEST(MappedPagesTest, CompressedPagesAreComparedLikeOthers) {
  const std::vector<SharedPages> images = {
      ImageOf(std::string(kPageSize, 'b')),
      CompressedImageOf(std::string(kPageSize, 'a') + std::string(kPageSize, 'b'))};
  const Result<MappedPages> pages = MappedPages::Map(images);
  ASSERT_TRUE(pages.has_value()) << pages.error().message;
  EXPECT_TRUE(pages.value().IsSame(Page(0, 0), Page(1, kPageSize)));
  EXPECT_FALSE(pages.value().IsSame(Page(0, 0), Page(1, 0)));
  EXPECT_FALSE(pages.value().IsSame(Page(1, 0), Page(1, kPageSize)));
}

}  // namespace
}  // namespace ckpt
