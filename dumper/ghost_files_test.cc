#include "dumper/ghost_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/file.h"

namespace ckpt {
namespace {

class GhostFilesTest : public testing::Test {
 protected:
  std::string path_ = testing::TempDir() + "/ghost_files_test_file";

  UniqueFd MakeDeleted(mode_t mode = 0640) {
    UniqueFd fd = OpenFile(path_, O_RDWR | O_CREAT | O_EXCL, mode).value();
    unlink(path_.c_str());
    return fd;
  }

  static std::string LinkOf(const UniqueFd& fd) {
    return fmt::format("/proc/self/fd/{}", fd.get());
  }
};

TEST_F(GhostFilesTest, AFileIsOneGhostHoweverOftenItIsUsed) {
  const UniqueFd fd = MakeDeleted();
  ASSERT_EQ(write(fd.get(), "ghostly", 7), 7);
  const timespec times[2] = {{1000, 5'000}, {2000, 7'000}};
  ASSERT_EQ(futimens(fd.get(), times), 0);
  const LinkedFile file = ReadLinkedFile(LinkOf(fd)).value();
  ASSERT_TRUE(IsDeleted(file));
  GhostFiles ghosts;
  EXPECT_EQ(ghosts.ReasonToRefuse(file), std::nullopt);
  ASSERT_TRUE(ghosts.Add(5, file, LinkOf(fd)).has_value());
  ASSERT_TRUE(ghosts.Add(6, file, LinkOf(fd)).has_value());
  ASSERT_TRUE(ghosts.Add(6, file, LinkOf(fd)).has_value());

  ASSERT_EQ(ghosts.files().size(), 1U);
  const GhostFile& ghost = ghosts.files().front();
  EXPECT_EQ(ghost.id, 1U);
  EXPECT_EQ(ghost.entry.mode(), uint32_t{S_IFREG | 0640});
  EXPECT_EQ(ghost.entry.ino(), file.inode);
  EXPECT_EQ(ghost.entry.dev(), file.dev_major << 20 | file.dev_minor);
  EXPECT_EQ(ghost.entry.atim().tv_sec(), 1000U);
  EXPECT_EQ(ghost.entry.mtim().tv_usec(), 7U);
  EXPECT_FALSE(ghost.entry.chunks());
  ASSERT_EQ(ghost.chunks.size(), 1U);
  EXPECT_EQ(ghost.chunks.front().bytes, "ghostly");
  ASSERT_EQ(ghosts.remaps().size(), 2U);
  EXPECT_EQ(ghosts.remaps()[0].orig_id(), 5U);
  EXPECT_EQ(ghosts.remaps()[1].orig_id(), 6U);
  EXPECT_EQ(ghosts.remaps()[1].remap_id(), 1U);
  EXPECT_EQ(ghosts.remaps()[1].remap_type(), pb::GHOST);
  struct stat after {};
  ASSERT_EQ(fstat(fd.get(), &after), 0);
  EXPECT_EQ(after.st_atim.tv_sec, 1000);
}

TEST_F(GhostFilesTest, OfAFileWithHolesOnlyTheDataIsKept) {
  const UniqueFd fd = MakeDeleted();
  constexpr off_t kFar = off_t{64} << 20;
  ASSERT_EQ(pwrite(fd.get(), "a", 1, 0), 1);
  ASSERT_EQ(pwrite(fd.get(), "b", 1, kFar), 1);
  ASSERT_EQ(ftruncate(fd.get(), 2 * kFar), 0);
  const LinkedFile file = ReadLinkedFile(LinkOf(fd)).value();
  GhostFiles ghosts;
  EXPECT_EQ(ghosts.ReasonToRefuse(file), std::nullopt);
  ASSERT_TRUE(ghosts.Add(1, file, LinkOf(fd)).has_value());
  const GhostFile& ghost = ghosts.files().front();
  EXPECT_TRUE(ghost.entry.chunks());
  EXPECT_EQ(ghost.entry.size(), uint64_t{2 * kFar});
  ASSERT_EQ(ghost.chunks.size(), 2U);
  EXPECT_EQ(ghost.chunks[0].offset_bytes, 0U);
  EXPECT_EQ(ghost.chunks[0].bytes[0], 'a');
  EXPECT_EQ(ghost.chunks[1].offset_bytes, uint64_t{kFar});
  EXPECT_EQ(ghost.chunks[1].bytes[0], 'b');
}

TEST_F(GhostFilesTest, ADirectoryHasNoContent) {
  ASSERT_EQ(mkdir(path_.c_str(), 0750), 0);
  const UniqueFd fd = OpenFile(path_, O_RDONLY | O_DIRECTORY).value();
  ASSERT_EQ(rmdir(path_.c_str()), 0);
  const LinkedFile file = ReadLinkedFile(LinkOf(fd)).value();
  GhostFiles ghosts;
  EXPECT_EQ(ghosts.ReasonToRefuse(file), std::nullopt);
  ASSERT_TRUE(ghosts.Add(1, file, LinkOf(fd)).has_value());
  EXPECT_EQ(ghosts.files().front().entry.mode(), uint32_t{S_IFDIR | 0750});
  EXPECT_TRUE(ghosts.files().front().chunks.empty());
}

TEST_F(GhostFilesTest, AFileWithAnotherNameIsRefused) {
  const std::string other = path_ + "_other";
  const UniqueFd fd = OpenFile(path_, O_RDWR | O_CREAT | O_EXCL, 0600).value();
  ASSERT_EQ(link(path_.c_str(), other.c_str()), 0);
  unlink(path_.c_str());
  const LinkedFile file = ReadLinkedFile(LinkOf(fd)).value();
  unlink(other.c_str());
  ASSERT_TRUE(IsDeleted(file));
  EXPECT_EQ(GhostFiles().ReasonToRefuse(file),
            "its name was removed and it has 1 others (hard links): not supported yet");
}

TEST_F(GhostFilesTest, AFileThatNeverHadANameIsRefused) {
  const UniqueFd fd(memfd_create("ghost", 0));
  const LinkedFile file = ReadLinkedFile(LinkOf(fd)).value();
  EXPECT_EQ(GhostFiles().ReasonToRefuse(file), "memory files (memfd_create) are not supported yet");
}

TEST_F(GhostFilesTest, ALimitHasAUnit) {
  EXPECT_EQ(ParseGhostLimit("4096").value(), 4096U);
  EXPECT_EQ(ParseGhostLimit("3K").value(), 3072U);
  EXPECT_EQ(ParseGhostLimit("1M").value(), kDefaultGhostLimitBytes);
  EXPECT_EQ(ParseGhostLimit("2G").value(), uint64_t{2} << 30);
  for (const char* text : {"", "M", "-1", "1T", "1MB", "99999999999999999999", "99999999999999G"}) {
    const auto limit = ParseGhostLimit(text);
    ASSERT_TRUE(limit.has_error()) << text;
    EXPECT_EQ(limit.error().message,
              fmt::format("--ghost-limit: \"{}\" is not a number of bytes, nor one with K, M or G",
                          text));
  }
}

TEST_F(GhostFilesTest, AFileOverTheLimitIsRefused) {
  const UniqueFd fd = MakeDeleted();
  const std::string content(10'000, 'x');
  ASSERT_EQ(write(fd.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
  const LinkedFile file = ReadLinkedFile(LinkOf(fd)).value();
  EXPECT_EQ(GhostFiles().ReasonToRefuse(file), std::nullopt);
  EXPECT_EQ(GhostFiles(4'096).ReasonToRefuse(file),
            fmt::format("a deleted file that takes {} bytes on disk, allowed are 4096 "
                        "(--ghost-limit)",
                        file.allocated_bytes));
}

}  // namespace
}  // namespace ckpt
