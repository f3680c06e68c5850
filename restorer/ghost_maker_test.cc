#include "restorer/ghost_maker.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

namespace ckpt {
namespace {

class GhostMakerTest : public testing::Test {
 protected:
  GhostMakerTest() {
    std::string pattern = testing::TempDir() + "/ghosts_XXXXXX";
    folder_ = ReadLink(fmt::format("/proc/self/fd/{}",
                                   OpenFile(mkdtemp(pattern.data()), O_PATH).value().get()))
                  .value();
  }
  ~GhostMakerTest() override { rmdir(folder_.c_str()); }  // which it must have left empty

  GhostPlan Plan(const std::string& path, mode_t mode) const {
    GhostPlan ghost{.id = 1, .place = "files.img entry id 7", .path = folder_ + path};
    ghost.mode = mode;
    ghost.uid = getuid();
    ghost.gid = getgid();
    return ghost;
  }

  // The file of the ghost, whose maker has ended.
  Result<UniqueFd> Make(const GhostPlan& ghost, int flags) {
    const PathOpener opener = PathOpener::Create("").value();
    GhostMaker maker;
    CKPT_TRY(maker.Make(ghost, opener));
    FilePlan file;
    file.place = ghost.place;
    file.ghost_id = ghost.id;
    file.path = maker.PathOf(file);
    file.mode = ghost.mode;
    return opener.Open(file, flags);
  }

  static std::string NameOf(const UniqueFd& fd) {
    return ReadLink(fmt::format("/proc/self/fd/{}", fd.get())).value();
  }

  std::vector<std::string> Listed() const { return ListDirectory(folder_).value(); }

  std::string folder_;
};

TEST_F(GhostMakerTest, AFileIsAsItWasAndHasNoName) {
  GhostPlan ghost = Plan("/file", S_IFREG | 04751);
  ghost.times = {timespec{.tv_sec = 1000, .tv_nsec = 5'000},
                 timespec{.tv_sec = 2000, .tv_nsec = 0}};
  ghost.size_bytes = uint64_t{1} << 30;
  ghost.chunks = {{0, "begin"}, {uint64_t{1} << 20, "middle"}};
  const UniqueFd fd = Make(ghost, O_RDWR).value();
  EXPECT_TRUE(Listed().empty());
  EXPECT_EQ(NameOf(fd), folder_ + "/file (deleted)");
  struct stat status {};
  ASSERT_EQ(fstat(fd.get(), &status), 0);
  EXPECT_EQ(status.st_mode, mode_t{S_IFREG | 04751});
  EXPECT_EQ(status.st_nlink, 0U);
  EXPECT_EQ(status.st_size, off_t{1} << 30);
  EXPECT_LT(status.st_blocks, 1'000);
  EXPECT_EQ(status.st_atim.tv_sec, 1000);
  EXPECT_EQ(status.st_atim.tv_nsec, 5'000);
  EXPECT_EQ(status.st_mtim.tv_sec, 2000);
  std::string text(6, '\0');
  EXPECT_EQ(pread(fd.get(), text.data(), 6, off_t{1} << 20), 6);
  EXPECT_EQ(text, "middle");
}

TEST_F(GhostMakerTest, ADirectoryIsMadeWithThoseAboveIt) {
  const UniqueFd fd = Make(Plan("/gone/too/inner", S_IFDIR | 0711), O_RDONLY).value();
  EXPECT_TRUE(Listed().empty());
  EXPECT_EQ(NameOf(fd), folder_ + "/gone/too/inner (deleted)");
}

TEST_F(GhostMakerTest, ADirectoryAndAFileInItAreBothMade) {
  const PathOpener opener = PathOpener::Create("").value();
  auto maker = std::make_unique<GhostMaker>();
  GhostPlan directory = Plan("/gone", S_IFDIR | 0711);
  directory.id = 2;
  ASSERT_TRUE(maker->Make(Plan("/gone/file", S_IFREG | 0600), opener).has_value());
  ASSERT_TRUE(maker->Make(directory, opener).has_value());
  FilePlan file;
  file.ghost_id = 2;
  file.path = maker->PathOf(file);
  const UniqueFd fd = opener.Open(file, O_PATH).value();
  maker.reset();
  EXPECT_TRUE(Listed().empty());
  EXPECT_EQ(NameOf(fd), folder_ + "/gone (deleted)");
}

TEST_F(GhostMakerTest, AFileThatHasTheNameNowIsLeftAlone) {
  const std::string path = folder_ + "/file";
  ASSERT_TRUE(WriteWholeFile(path, AsBytes("of another"), 0600).has_value());
  GhostPlan ghost = Plan("/file", S_IFREG | 0600);
  ghost.size_bytes = 3;
  ghost.chunks = {{0, "old"}};
  const UniqueFd fd = Make(ghost, O_RDONLY).value();
  EXPECT_EQ(ReadWholeFile(path).value(), "of another");
  EXPECT_EQ(Listed(), std::vector<std::string>{"file"});
  EXPECT_EQ(ReadWholeFd(fd.get(), "ghost").value(), "old");
  EXPECT_TRUE(NameOf(fd).ends_with(" (deleted)"));
  unlink(path.c_str());
}

TEST_F(GhostMakerTest, AFifoIsMade) {
  const UniqueFd fd = Make(Plan("/fifo", S_IFIFO | 0620), O_PATH).value();
  struct stat status {};
  ASSERT_EQ(fstat(fd.get(), &status), 0);
  EXPECT_EQ(status.st_mode, mode_t{S_IFIFO | 0620});
  EXPECT_TRUE(Listed().empty());
}

TEST_F(GhostMakerTest, AFailureLeavesNothing) {
  GhostPlan ghost = Plan("/gone/file", S_IFREG | 0600);
  ghost.size_bytes = uint64_t{1} << 63;
  const Result<UniqueFd> made = Make(ghost, O_RDONLY);
  ASSERT_TRUE(made.has_error());
  EXPECT_EQ(made.error().message,
            fmt::format("files.img entry id 7: {}/gone/file, which had been deleted: ftruncate to "
                        "9223372036854775808 bytes: Invalid argument (EINVAL)",
                        folder_));
  EXPECT_TRUE(Listed().empty());
}

}  // namespace
}  // namespace ckpt
