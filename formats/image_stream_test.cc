#include "formats/image_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>

#include "formats/image_reader.h"
#include "formats/sample_image.h"

namespace ckpt {
namespace {

// The error of reading all, empty where there is none. Extras are passed over.
std::string ErrorOf(ImageType type, ByteSource& source, size_t& entries) {
  auto image = ImageStream::Open("it.img", type, source);
  if (!image) return image.error().message;
  while (true) {
    auto entry = image.value().Next();
    if (!entry) return entry.error().message;
    if (!entry.value()) return "";
    ++entries;
    if (auto passed = image.value().PassOverExtra(*entry.value()); !passed) {
      return passed.error().message;
    }
  }
}

std::string ErrorOf(ImageType type, std::string_view bytes) {
  MemorySource source(AsBytes(bytes));
  size_t entries = 0;
  return ErrorOf(type, source, entries);
}

// What the reader in memory says, which has its own tests.
std::string ReaderError(ImageType type, std::string_view bytes) {
  auto image = ImageReader::Open("it.img", type, AsBytes(bytes));
  if (!image) return image.error().message;
  while (true) {
    auto entry = image.value().Next();
    if (!entry) return entry.error().message;
    if (!entry.value()) return "";
  }
}

// All but message queues, whose sizes are known only while they are read.
bool HasKnownExtras(ImageType type) { return GetImageType(type).extra != ExtraKind::kMessages; }

TEST(ImageStream, SaysOfEveryPrefixWhatTheReaderInMemorySays) {
  for (const ImageType type : TypesWithEntries()) {
    if (!HasKnownExtras(type)) continue;
    const std::string image = SampleImage(type);
    // Every prefix of the small ones; of pages, the first and last bytes.
    for (size_t size = 0; size < image.size(); size += size < 600 ? 1 : 97) {
      const std::string_view prefix = std::string_view(image).substr(0, size);
      EXPECT_EQ(ErrorOf(type, prefix), ReaderError(type, prefix))
          << GetImageType(type).name << " " << size;
    }
  }
}

TEST(ImageStream, ReadsTheSameFromASourceThatDoesNotKnowItsSize) {
  for (const ImageType type : TypesWithEntries()) {
    if (!HasKnownExtras(type)) continue;
    std::istringstream in(SampleImage(type));
    StreamSource source(in, "it");
    size_t entries = 0;
    EXPECT_EQ(ErrorOf(type, source, entries), "") << GetImageType(type).name;
    EXPECT_EQ(entries, 2u) << GetImageType(type).name;
  }
}

TEST(ImageStream, TellsOfAnExtraThatIsCutShortWhereTheSourceDoesNotKnowItsSize) {
  const std::string image = SampleImage(ImageType::kPipesData);
  std::istringstream in(image.substr(0, image.size() - 1));
  StreamSource source(in, "it");
  size_t entries = 0;
  EXPECT_THAT(ErrorOf(ImageType::kPipesData, source, entries),
              testing::MatchesRegex("it.img: entry 1 at offset [0-9]+: extra of ([0-9]+) bytes, "
                                    "with [0-9]+ bytes of it in the file"));
}

TEST(ImageStream, GivesBlocksOfWholeEntries) {
  std::string image = SampleImage(ImageType::kFs);
  const std::string entry = image.substr(8, (image.size() - 8) / 2);
  for (int i = 0; i < 100000; ++i) image += entry;
  MemorySource source(AsBytes(image));
  auto stream = ImageStream::Open("it.img", ImageType::kFs, source);
  ASSERT_TRUE(stream);
  std::string framed;
  size_t blocks = 0;
  while (true) {
    auto block = stream.value().NextBlock();
    ASSERT_TRUE(block);
    if (!block.value()) break;
    EXPECT_EQ(block.value()->offset, framed.size() + 8);
    EXPECT_EQ(block.value()->first_index, framed.size() / entry.size());
    EXPECT_EQ(block.value()->framed.size() % entry.size(), 0u);
    framed += AsText(block.value()->framed);
    ++blocks;
  }
  EXPECT_EQ(framed, image.substr(8));
  EXPECT_GT(blocks, 1u);
}

TEST(ImageStream, TellsOfAnEntryThatIsCutShortBehindBlocks) {
  const std::string image = SampleImage(ImageType::kFs);
  MemorySource source(AsBytes(std::string_view(image).substr(0, image.size() - 1)));
  auto stream = ImageStream::Open("it.img", ImageType::kFs, source);
  ASSERT_TRUE(stream);
  ASSERT_TRUE(stream.value().NextBlock());
  auto block = stream.value().NextBlock();
  ASSERT_FALSE(block);
  EXPECT_EQ(block.error().message, ReaderError(ImageType::kFs, image.substr(0, image.size() - 1)));
}

}  // namespace
}  // namespace ckpt
