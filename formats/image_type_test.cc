#include "formats/image_type.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace ckpt {
namespace {

TEST(ImageTypeTest, HasTheTypesOfTheFormatAndTwoOfOurOwn) {
  size_t own = 0;
  for (const ImageTypeInfo& row : ImageTypes()) own += row.own ? 1 : 0;
  EXPECT_EQ(ImageTypes().size(), 87U);
  EXPECT_EQ(own, 2U);
}

TEST(ImageTypeTest, EveryNameLeadsBackToItsTypeAndId) {
  for (const ImageTypeInfo& row : ImageTypes()) {
    // The names of old pages images are those of pages images, which come first.
    if (row.type == ImageType::kPagesOld) continue;
    uint64_t id = row.id == ImageId::kNone ? 0 : row.id == ImageId::kStats ? 1 : 4711;
    std::string name = ImageFileName(row.type, id);
    EXPECT_EQ(FindImageTypeByFileName(name), (ImageName{row.type, id})) << name;
  }
}

TEST(ImageTypeTest, SpellsIdsAsTheTemplateSays) {
  EXPECT_EQ(ImageFileName(ImageType::kInventory), "inventory.img");
  EXPECT_EQ(ImageFileName(ImageType::kCore, 42), "core-42.img");
  EXPECT_EQ(ImageFileName(ImageType::kGhostFile, 255), "ghost-file-ff.img");
  EXPECT_EQ(ImageFileName(ImageType::kTmpfsDev, 66), "tmpfs-dev-66.tar.gz.img");
  EXPECT_EQ(ImageFileName(ImageType::kStats, kStatsOfDump), "stats-dump");
  EXPECT_EQ(ImageFileName(ImageType::kStats, kStatsOfRestore), "stats-restore");
  EXPECT_EQ(ImageFileName(ImageType::kIrmapCache), "irmap-cache");
  EXPECT_EQ(ImageFileName(ImageType::kCkptRaw), "ckpt-raw.img");
  EXPECT_EQ(ImageFileName(ImageType::kPagesZstd, 3), "pages-3.img.zst");
}

TEST(ImageTypeTest, KnowsNoOtherSpellingOfAnId) {
  for (const char* name :
       {"fdinfo-02.img", "fdinfo-.img", "fdinfo-+2.img", "fdinfo--2.img", "fdinfo-2a.img",
        "fdinfo- 2.img", "ghost-file-FF.img", "ghost-file-0x1.img", "fdinfo-4294967296.img",
        "pagemap-18446744073709551616.img", "stats-other", "fdinfo-2.img.bak", "parent", "dump.log",
        "core.img", ".img", ""}) {
    EXPECT_EQ(FindImageTypeByFileName(name), std::nullopt) << name;
  }
}

TEST(ImageTypeTest, TakesIdsAsWideAsTheTemplateSays) {
  EXPECT_EQ(FindImageTypeByFileName("fdinfo-4294967295.img"),
            (ImageName{ImageType::kFdinfo, 4294967295}));
  EXPECT_EQ(FindImageTypeByFileName("pagemap-18446744073709551615.img"),
            (ImageName{ImageType::kPagemap, 18446744073709551615U}));
}

TEST(ImageTypeTest, TellsPagesFromSharedPages) {
  EXPECT_EQ(FindImageTypeByFileName("pages-1.img"), (ImageName{ImageType::kPages, 1}));
  EXPECT_EQ(FindImageTypeByFileName("pages-shmem-1.img"), (ImageName{ImageType::kShmPagesOld, 1}));
}

TEST(ImageTypeTest, FindsTheOwnerOfEveryMagic) {
  std::set<uint32_t> magics;
  for (const ImageTypeInfo& row : ImageTypes()) {
    if (row.framing == ImageFraming::kRaw) continue;
    magics.insert(row.magic);
    auto owner = FindImageTypeByMagic(row.magic);
    ASSERT_TRUE(owner.has_value()) << row.name;
    EXPECT_EQ(GetImageType(*owner).name, row.magic_name);
  }
  EXPECT_EQ(magics.size(), 69U) << "68 of the format and our own";
  EXPECT_EQ(FindImageTypeByMagic(0), std::nullopt);
  EXPECT_EQ(FindImageTypeByMagic(kCommonMagic), std::nullopt);
}

TEST(ImageTypeTest, FindsEveryTypeByItsName) {
  for (const ImageTypeInfo& row : ImageTypes()) {
    EXPECT_EQ(FindImageTypeByName(row.name), row.type);
  }
  EXPECT_EQ(FindImageTypeByName("inventory"), std::nullopt);
}

}  // namespace
}  // namespace ckpt
