#include "restorer/mapped_pages.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

namespace ckpt {
namespace {

UniqueFd ImageOf(const std::string& content) {
  std::string path = ::testing::TempDir() + "/pages-XXXXXX";
  UniqueFd image(mkstemp(path.data()));
  unlink(path.c_str());
  EXPECT_TRUE(WriteAll(image.get(), AsBytes(content), "pages").has_value());
  return image;
}

PagesPlan Page(size_t source, uint64_t offset) {
  return {.range = {}, .source = source, .offset_bytes = offset};
}

TEST(MappedPagesTest, PagesAreComparedByWhatTheyHold) {
  std::vector<UniqueFd> images;
  images.push_back(ImageOf(std::string(kPageSize, 'a') + std::string(kPageSize, 'b')));
  images.push_back(ImageOf(std::string(kPageSize, 'b')));
  images.push_back(ImageOf(""));
  const Result<MappedPages> pages = MappedPages::Map(images);
  ASSERT_TRUE(pages.has_value()) << pages.error().message;
  images.clear();
  EXPECT_TRUE(pages.value().IsSame(Page(0, kPageSize), Page(1, 0)));
  EXPECT_FALSE(pages.value().IsSame(Page(0, 0), Page(1, 0)));
  EXPECT_TRUE(pages.value().IsSame(Page(0, 0), Page(0, 0)));
}

}  // namespace
}  // namespace ckpt
