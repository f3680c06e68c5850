#include "dumper/file_table.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace ckpt {
namespace {

LinkedFile RegularFile(const std::string& path) {
  LinkedFile file;
  file.path = path;
  file.mode = S_IFREG | 0644;
  file.size_bytes = 17;
  file.inode = 5;
  file.mnt_id = 22;
  return file;
}

TEST(FileTableTest, TheSamePathAndFlagsHaveOneId) {
  FileTable files;
  const uint32_t id = files.AddPath(RegularFile("/lib/x"), O_RDONLY);
  EXPECT_EQ(files.AddPath(RegularFile("/lib/x"), O_RDONLY), id);
  EXPECT_NE(files.AddPath(RegularFile("/lib/x"), O_RDWR), id);
  EXPECT_NE(files.AddPath(RegularFile("/lib/y"), O_RDONLY), id);
  EXPECT_EQ(files.entries().size(), 3U);
}

TEST(FileTableTest, ARegularFileKeepsPathMountSizeAndMode) {
  FileTable files;
  files.AddRegular(RegularFile("/lib/x\xff"), O_RDWR, 9, pb::fown_entry());
  const pb::reg_file_entry& entry = files.entries()[0].reg();
  EXPECT_EQ(entry.name(), "/lib/x\xff");
  EXPECT_EQ(entry.mnt_id(), 22);
  EXPECT_EQ(entry.pos(), 9U);
  EXPECT_EQ(entry.size(), 17U);
  EXPECT_EQ(entry.mode(), S_IFREG | 0644U);
}

TEST(FileTableTest, TheSizeOfAFileThatIsOnlyAppendedToIsLeftOut) {
  FileTable files;
  files.AddRegular(RegularFile("/log"), O_WRONLY | O_APPEND, 0, pb::fown_entry());
  EXPECT_FALSE(files.entries()[0].reg().has_size());
  files.AddRegular(RegularFile("/log"), O_RDWR | O_APPEND, 0, pb::fown_entry());
  EXPECT_TRUE(files.entries()[1].reg().has_size());
}

TEST(FileTableTest, OfDeletedFilesTheMountCanBeForgotten) {
  FileTable files;
  LinkedFile deleted = RegularFile("/proc (deleted)");
  deleted.link_count = 0;
  const uint32_t id = files.AddPath(deleted, O_RDONLY);
  files.AddPath(RegularFile("/lib/x"), O_RDONLY);
  ASSERT_TRUE(files.ghosts().Add(id, deleted, "/proc").has_value());
  files.ForgetMountsOfGhosts();
  EXPECT_EQ(files.entries()[0].reg().name(), "/proc");
  EXPECT_EQ(files.entries()[0].reg().mnt_id(), -1);
  EXPECT_EQ(files.entries()[1].reg().mnt_id(), 22);
}

}  // namespace
}  // namespace ckpt
