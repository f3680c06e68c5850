#include "formats/image_file.h"

#include <gtest/gtest.h>

#include <string>

#include "base/file.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/task.pb.h"
#include "formats/sample_image.h"

namespace ckpt {
namespace {

std::string WriteTestFile(const std::string& name, const std::string& bytes) {
  std::string path = testing::TempDir() + "/" + name;
  EXPECT_TRUE(WriteWholeFile(path, AsBytes(bytes), 0644).has_value());
  return path;
}

TEST(ImageFileTest, TakesTheTypeFromTheNameElseFromTheMagic) {
  std::string bytes = SampleImage(ImageType::kFs);
  auto named = ReadImageFile(WriteTestFile("fs-7.img", bytes));
  ASSERT_TRUE(named.has_value()) << named.error().message;
  EXPECT_EQ(named.value().type(), ImageType::kFs);
  auto renamed = ReadImageFile(WriteTestFile("fs-7.img.bak", bytes));
  ASSERT_TRUE(renamed.has_value()) << renamed.error().message;
  EXPECT_EQ(renamed.value().type(), ImageType::kFs);
  auto wrong = ReadImageFile(WriteTestFile("mm-7.img", bytes));
  ASSERT_TRUE(wrong.has_error());
  EXPECT_TRUE(
      wrong.error().message.ends_with("/mm-7.img: magic 0x51403912 at offset 4, MM has 0x57492820"))
      << wrong.error().message;
}

TEST(ImageFileTest, SaysThatAFileDoesNotExist) {
  auto image = ReadImageFile(testing::TempDir() + "/fs-404.img");
  ASSERT_TRUE(image.has_error());
  EXPECT_EQ(image.error().code, ErrorCode::kNotFound);
}

TEST(ImageFileTest, EntriesOutliveTheImageThatWasMoved) {
  auto image = ImageFile::Parse("fs-1.img", ImageType::kFs, SampleImage(ImageType::kFs));
  ASSERT_TRUE(image.has_value());
  ImageFile moved = std::move(image).value();
  auto entries = ParseEntries<pb::fs_entry>(moved);
  ASSERT_TRUE(entries.has_value());
  EXPECT_EQ(entries.value().size(), 2U);
}

TEST(ImageFileTest, PassesOverAHeadWhereEntriesAreWanted) {
  std::string path = WriteTestFile("pagemap-1.img", SampleImage(ImageType::kPagemap));
  auto entries = ReadEntries<pb::pagemap_entry>(path);
  ASSERT_TRUE(entries.has_value()) << entries.error().message;
  EXPECT_EQ(entries.value().size(), 1U);
  auto heads = ReadEntries<pb::pagemap_head>(path);
  ASSERT_TRUE(heads.has_value());
  EXPECT_EQ(heads.value().size(), 1U);
  auto others = ReadEntries<pb::fs_entry>(path);
  ASSERT_TRUE(others.has_error());
  EXPECT_EQ(others.error().code, ErrorCode::kInternal);
}

TEST(ImageFileTest, WantsOneEntryWhereThereIsOne) {
  std::string bytes = SampleImage(ImageType::kFs);
  auto two = ReadSingleEntry<pb::fs_entry>(WriteTestFile("fs-2.img", bytes));
  ASSERT_TRUE(two.has_error());
  EXPECT_TRUE(two.error().message.ends_with("/fs-2.img: 2 entries of type fs_entry, 1 expected"));
  auto one = ReadSingleEntry<pb::fs_entry>(
      WriteTestFile("fs-3.img", bytes.substr(0, 8 + (bytes.size() - 8) / 2)));
  ASSERT_TRUE(one.has_value()) << one.error().message;
  EXPECT_EQ(one.value().cwd_id(), 3U);
}

TEST(ImageFileTest, HoldsTheBytesOfRawTypes) {
  auto image = ImageFile::Parse("route-1.img", ImageType::kRoute, "netlink");
  ASSERT_TRUE(image.has_value());
  EXPECT_TRUE(image.value().entries().empty());
  EXPECT_EQ(AsText(image.value().bytes()), "netlink");
}

}  // namespace
}  // namespace ckpt
