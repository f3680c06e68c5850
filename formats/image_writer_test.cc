#include "formats/image_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "base/file.h"
#include "formats/image_file.h"
#include "formats/proto/pipes.pb.h"
#include "formats/proto/task.pb.h"
#include "formats/sample_image.h"
#include "formats/wire.h"

namespace ckpt {
namespace {

std::string ReadAndWriteBack(ImageType type, const std::string& bytes) {
  auto image = ImageFile::Parse("the-file", type, bytes);
  if (image.has_error()) return image.error().message;
  ImageEncoder copy(type, image.value().header_version());
  for (const ImageEntry& entry : image.value().entries()) {
    copy.AppendOriginal(entry.message, entry.extra);
  }
  return copy.TakeBytes();
}

TEST(ImageWriterTest, AnImageReadAndWrittenBackIsTheSameForEveryType) {
  for (ImageType type : TypesWithEntries()) {
    for (HeaderVersion version : {HeaderVersion::kOld, HeaderVersion::kCurrent}) {
      std::string bytes = SampleImage(type, version);
      EXPECT_EQ(ReadAndWriteBack(type, bytes), bytes) << GetImageType(type).name;
    }
  }
}

TEST(ImageWriterTest, KeepsUnknownFieldsOrderAndPacking) {
  // The fields of pstree_entry backwards, threads packed, with an unknown field between.
  std::string message = WireValue::LengthDelimited(AsBytes("\x05\x06")).Encode(5) +
                        WireValue::Varint(4).Encode(4) + WireValue::Varint(9).Encode(77) +
                        WireValue::Varint(3).Encode(3) + WireValue::Varint(2).Encode(2) +
                        WireValue::Varint(1).Encode(1);
  ImageEncoder image(ImageType::kPstree);
  image.AppendOriginal(AsBytes(message), {});
  auto parsed = ImageFile::Parse("pstree.img", ImageType::kPstree, image.bytes());
  ASSERT_TRUE(parsed.has_value());
  auto entries = ParseEntries<pb::pstree_entry>(parsed.value());
  ASSERT_TRUE(entries.has_value());
  EXPECT_EQ(entries.value()[0].threads_size(), 2);
  EXPECT_EQ(ReadAndWriteBack(ImageType::kPstree, image.bytes()), image.bytes());
}

TEST(ImageWriterTest, RefusesWhatTheImageCannotHold) {
  ImageEncoder image(ImageType::kPipesData);
  pb::pipe_data_entry entry;
  auto incomplete = image.Append(entry);
  ASSERT_TRUE(incomplete.has_error());
  EXPECT_EQ(incomplete.error().message, "pipe_data_entry without required pipe_id, bytes");
  entry.set_pipe_id(1);
  entry.set_bytes(2);
  auto extra = image.Append(entry, AsBytes("abc"));
  ASSERT_TRUE(extra.has_error());
  EXPECT_EQ(extra.error().message, "extra of 3 bytes where entry 0 of PIPES_DATA says 2");
  auto other = image.Append(pb::fs_entry());
  ASSERT_TRUE(other.has_error());
  EXPECT_EQ(other.error().message, "fs_entry as entry 0 of PIPES_DATA");
  EXPECT_EQ(image.bytes().size(), 8U) << "nothing but the header";
}

TEST(ImageWriterTest, StreamsWhatIsTooBigToBuildFirst) {
  std::string path = testing::TempDir() + "/pipes-data.img";
  std::string data(300000, 'd');
  pb::pipe_data_entry entry;
  entry.set_pipe_id(1);
  entry.set_bytes(static_cast<uint32_t>(data.size()));
  ImageEncoder expected(ImageType::kPipesData);
  {
    auto file = OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ASSERT_TRUE(file.has_value());
    ImageStreamWriter writer(file.value().get(), path, ImageType::kPipesData);
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(writer.Append(entry, AsBytes(data)).has_value());
      ASSERT_TRUE(expected.Append(entry, AsBytes(data)).has_value());
    }
    ASSERT_TRUE(writer.Finish().has_value());
  }
  auto bytes = ReadWholeFile(path);
  ASSERT_TRUE(bytes.has_value());
  EXPECT_TRUE(bytes.value() == expected.bytes());
}

TEST(ImageWriterTest, WritesFilesThatAllMayRead) {
  std::string path = testing::TempDir() + "/fs-1.img";
  ImageEncoder image(ImageType::kFs);
  ASSERT_TRUE(WriteImageFile(path, image).has_value());
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode, static_cast<mode_t>(S_IFREG | 0644));
  EXPECT_EQ(ReadWholeFile(path).value(), image.bytes());
}

TEST(ImageWriterTest, AFullDiskIsAnErrorOfTheFile) {
  auto full = OpenFile("/dev/full", O_WRONLY);
  ASSERT_TRUE(full.has_value());
  ImageStreamWriter writer(full.value().get(), "pages.img", ImageType::kFs);
  auto finished = writer.Finish();
  ASSERT_TRUE(finished.has_error());
  EXPECT_NE(finished.error().message.find("pages.img"), std::string::npos);
  EXPECT_NE(finished.error().message.find("ENOSPC"), std::string::npos);
}

}  // namespace
}  // namespace ckpt
