#include "formats/image_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "formats/image_file.h"
#include "formats/image_writer.h"
#include "formats/proto/pipes.pb.h"
#include "formats/proto/task.pb.h"
#include "formats/sample_image.h"

namespace ckpt {
namespace {

std::string Words(std::initializer_list<uint32_t> words) {
  std::string out;
  for (uint32_t word : words) {
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(word >> shift));
  }
  return out;
}

const uint32_t kFsMagic = 0x51403912;
const uint32_t kPipesDataMagic = 0x56453709;

std::string ErrorOf(const std::string& name, ImageType type, const std::string& bytes) {
  auto image = ImageFile::Parse(name, type, bytes);
  if (!image.has_error()) return "(no error)";
  EXPECT_EQ(image.error().code, ErrorCode::kBadFormat);
  return image.error().message;
}

std::string FsError(const std::string& bytes) {
  return ErrorOf("fs-42.img", ImageType::kFs, bytes);
}

std::string FsEntry() {
  pb::fs_entry entry;
  entry.set_cwd_id(1);
  entry.set_root_id(2);
  std::string message = entry.SerializeAsString();
  return Words({static_cast<uint32_t>(message.size())}) + message;
}

TEST(ImageReaderTest, SaysThatAFileIsEmpty) {
  EXPECT_EQ(FsError(""), "fs-42.img: empty file, a magic of 4 bytes expected");
}

TEST(ImageReaderTest, SaysThatAMagicIsCutShort) {
  std::string header = Words({kCommonMagic, kFsMagic});
  EXPECT_EQ(FsError(header.substr(0, 3)),
            "fs-42.img: 3 bytes at offset 0, a magic of 4 bytes expected");
  EXPECT_EQ(FsError(header.substr(0, 4)),
            "fs-42.img: 0 bytes at offset 4, a magic of 4 bytes expected");
  EXPECT_EQ(FsError(header.substr(0, 6)),
            "fs-42.img: 2 bytes at offset 4, a magic of 4 bytes expected");
  EXPECT_EQ(FsError(header), "(no error)");
}

TEST(ImageReaderTest, SaysWhichMagicItFoundAndWhichTheTypeHas) {
  EXPECT_EQ(FsError(Words({kCommonMagic, kPipesDataMagic})),
            "fs-42.img: magic 0x56453709 at offset 4, FS has 0x51403912");
  EXPECT_EQ(FsError(Words({kServiceMagic, kFsMagic})),
            "fs-42.img: magic 0x55105940 at offset 0, FS has 0x51403912");
  EXPECT_EQ(ErrorOf("inventory.img", ImageType::kInventory, Words({kCommonMagic, 0x58313116})),
            "inventory.img: magic 0x54564319 at offset 0, INVENTORY has 0x58313116");
}

TEST(ImageReaderTest, NamesTheEntryAndItsOffsetWhereALengthIsWrong) {
  std::string start = Words({kCommonMagic, kFsMagic}) + FsEntry();
  EXPECT_EQ(FsError(start + "ab"), "fs-42.img: entry 1 at offset 16: 2 bytes left, a length has 4");
  EXPECT_EQ(FsError(start + Words({90112}) + "abc"),
            "fs-42.img: entry 1 at offset 16: length 90112 runs 90109 bytes past the end of the "
            "file");
  EXPECT_EQ(FsError(start + Words({0xffffffff})),
            "fs-42.img: entry 1 at offset 16: length 4294967295 runs 4294967295 bytes past the end "
            "of the file");
}

TEST(ImageReaderTest, NamesTheEntryWhoseMessageIsWrong) {
  std::string start = Words({kCommonMagic, kFsMagic}) + FsEntry();
  EXPECT_EQ(FsError(start + Words({2}) + "\xff\xff"),
            "fs-42.img: entry 1 at offset 16: message of 2 bytes is no fs_entry");
  EXPECT_EQ(FsError(start + Words({0})),
            "fs-42.img: entry 1 at offset 16: fs_entry without required cwd_id, root_id");
}

TEST(ImageReaderTest, SaysHowMuchOfAnExtraIsMissing) {
  ImageEncoder image(ImageType::kPipesData);
  pb::pipe_data_entry entry;
  entry.set_pipe_id(1);
  entry.set_bytes(5);
  ASSERT_TRUE(image.Append(entry, AsBytes("hello")).has_value());
  std::string bytes = image.bytes();
  EXPECT_EQ(
      ErrorOf("pipes-data.img", ImageType::kPipesData, bytes.substr(0, bytes.size() - 3)),
      "pipes-data.img: entry 0 at offset 8: extra of 5 bytes runs 3 bytes past the end of the "
      "file");
}

TEST(ImageReaderTest, ReadsImagesOfVersion1) {
  auto image = ImageFile::Parse("fs-1.img", ImageType::kFs, Words({kFsMagic}) + FsEntry());
  ASSERT_TRUE(image.has_value()) << image.error().message;
  EXPECT_EQ(image.value().header_version(), HeaderVersion::kOld);
  ASSERT_EQ(image.value().entries().size(), 1U);
  EXPECT_EQ(image.value().entries()[0].offset, 4U);
}

TEST(ImageReaderTest, IdentifiesEveryTypeByItsMagics) {
  for (ImageType type : TypesWithEntries()) {
    for (HeaderVersion version : {HeaderVersion::kOld, HeaderVersion::kCurrent}) {
      std::string bytes = SampleImage(type, version);
      auto found = IdentifyImage("some.img", AsBytes(bytes));
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(GetImageType(found.value()).magic, GetImageType(type).magic);
    }
  }
  auto unknown = IdentifyImage("some.img", AsBytes(Words({kCommonMagic, 17})));
  ASSERT_TRUE(unknown.has_error());
  EXPECT_EQ(unknown.error().message, "some.img: magic 0x00000011 at offset 4 is of no image type");
}

TEST(ImageReaderTest, EveryProperPrefixOfEveryTypeEndsWellOrNamesTheFile) {
  for (ImageType type : TypesWithEntries()) {
    std::string bytes = SampleImage(type);
    auto whole = ImageFile::Parse("x", type, bytes);
    ASSERT_TRUE(whole.has_value()) << whole.error().message;
    ASSERT_EQ(whole.value().entries().size(), 2U);
    size_t readable = 0;
    for (size_t size = 0; size < bytes.size(); ++size) {
      auto image = ImageFile::Parse("the-file", type, bytes.substr(0, size));
      if (image.has_value()) {
        ++readable;
      } else {
        EXPECT_TRUE(image.error().message.starts_with("the-file: ")) << image.error().message;
        EXPECT_EQ(image.error().code, ErrorCode::kBadFormat);
      }
    }
    EXPECT_EQ(readable, 2U) << "only the ends of the header and of the first entry";
  }
}

TEST(ImageReaderTest, EveryFlippedBitOfEveryTypeEndsWellOrInACleanError) {
  for (ImageType type : TypesWithEntries()) {
    const std::string bytes = SampleImage(type);
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      auto image = ImageFile::Parse("the-file", type, flipped);
      if (image.has_value()) {
        EXPECT_EQ(image.value().bytes().size(), bytes.size());
      } else {
        EXPECT_TRUE(image.error().message.starts_with("the-file: ")) << image.error().message;
        EXPECT_EQ(image.error().code, ErrorCode::kBadFormat);
      }
    }
  }
}

}  // namespace
}  // namespace ckpt
