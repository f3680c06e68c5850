#include "restorer/ghost_images.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "formats/image_writer.h"

namespace ckpt {
namespace {

class GhostImagesTest : public testing::Test {
 protected:
  GhostImagesTest() {
    std::string pattern = testing::TempDir() + "/ghost_images_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~GhostImagesTest() override { std::filesystem::remove_all(folder_); }

  static pb::ghost_file_entry Entry() {
    pb::ghost_file_entry entry;
    entry.set_uid(0);
    entry.set_gid(0);
    entry.set_mode(S_IFREG | 0600);
    return entry;
  }

  static pb::ghost_chunk_entry Chunk(uint64_t offset_bytes, uint64_t length_bytes) {
    pb::ghost_chunk_entry entry;
    entry.set_off(offset_bytes);
    entry.set_len(length_bytes);
    return entry;
  }

  void Write(uint32_t id, const ImageEncoder& image) {
    ASSERT_TRUE(WriteImageFile(folder_ + "/" + ImageFileName(ImageType::kGhostFile, id), image)
                    .has_value());
  }

  Result<std::map<uint32_t, GhostImage>> Load(uint32_t id) {
    pb::remap_file_path_entry ghost;
    ghost.set_remap_id(id);
    ghost.set_remap_type(pb::GHOST);
    pb::remap_file_path_entry link;
    link.set_remap_type(pb::LINKED);
    const std::vector<pb::remap_file_path_entry> remaps = {ghost, ghost, link};
    return LoadGhostImages(DumpDirectory::Open(folder_).value(), remaps);
  }

  std::string folder_;
};

TEST_F(GhostImagesTest, TheContentFollowsTheEntry) {
  ImageEncoder image(ImageType::kGhostFile);
  ASSERT_TRUE(image.Append(Entry(), AsBytes("text")).has_value());
  Write(16, image);
  const auto ghosts = Load(16).value();
  ASSERT_EQ(ghosts.size(), 1U);
  EXPECT_EQ(ghosts.at(16).size_bytes, 4U);
  ASSERT_EQ(ghosts.at(16).chunks.size(), 1U);
  EXPECT_EQ(ghosts.at(16).chunks[0].bytes, "text");
}

TEST_F(GhostImagesTest, OrIsInChunks) {
  ImageEncoder image(ImageType::kGhostFile);
  pb::ghost_file_entry entry = Entry();
  entry.set_chunks(true);
  entry.set_size(100);
  ASSERT_TRUE(image.Append(entry).has_value());
  ASSERT_TRUE(image.Append(Chunk(0, 1), AsBytes("a")).has_value());
  ASSERT_TRUE(image.Append(Chunk(98, 2), AsBytes("bc")).has_value());
  Write(1, image);
  const auto ghosts = Load(1).value();
  EXPECT_EQ(ghosts.at(1).size_bytes, 100U);
  ASSERT_EQ(ghosts.at(1).chunks.size(), 2U);
  EXPECT_EQ(ghosts.at(1).chunks[1].offset_bytes, 98U);
  EXPECT_EQ(ghosts.at(1).chunks[1].bytes, "bc");
}

TEST_F(GhostImagesTest, AChunkOutsideOfTheFileIsAnError) {
  ImageEncoder image(ImageType::kGhostFile);
  pb::ghost_file_entry entry = Entry();
  entry.set_chunks(true);
  entry.set_size(100);
  ASSERT_TRUE(image.Append(entry).has_value());
  ASSERT_TRUE(image.Append(Chunk(99, 2), AsBytes("bc")).has_value());
  Write(1, image);
  const auto ghosts = Load(1);
  ASSERT_TRUE(ghosts.has_error());
  EXPECT_EQ(ghosts.error().message,
            "ghost-file-1.img: a chunk of 2 bytes at byte 99 is outside of a file of 100 bytes");
}

TEST_F(GhostImagesTest, AGhostThatIsMissingIsAnError) {
  const auto ghosts = Load(1);
  ASSERT_TRUE(ghosts.has_error());
  EXPECT_EQ(ghosts.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
