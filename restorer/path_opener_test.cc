#include "restorer/path_opener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace ckpt {
namespace {

class PathOpenerTest : public testing::Test {
 protected:
  PathOpenerTest() {
    std::string name = testing::TempDir() + "path_opener.XXXXXX";
    directory_ = mkdtemp(name.data());
    EXPECT_TRUE(WriteWholeFile(directory_ + "/data", AsBytes("0123456789"), 0644).has_value());
  }
  ~PathOpenerTest() override {
    for (const char* name : {"/data", "/link", "/fifo"}) unlink((directory_ + name).c_str());
    rmdir(directory_.c_str());
  }
  static FilePlan File(const std::string& path) {
    FilePlan file;
    file.id = 7;
    file.place = "files.img entry id 7";
    file.path = path;
    return file;
  }
  static Result<UniqueFd> Open(const FilePlan& file, int flags, const std::string& root = "") {
    CKPT_TRY(const PathOpener opener, PathOpener::Create(root));
    return opener.Open(file, flags);
  }
  static std::string ErrorOf(const FilePlan& file, int flags = O_RDONLY) {
    const auto opened = Open(file, flags);
    return opened.has_error() ? opened.error().message : "";
  }

  std::string directory_;
};

TEST_F(PathOpenerTest, OpensAsTheFlagsSay) {
  const auto opened = Open(File(directory_ + "/data"), O_WRONLY | O_APPEND);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(fcntl(opened.value().get(), F_GETFL) & (O_ACCMODE | O_APPEND), O_WRONLY | O_APPEND);
}

TEST_F(PathOpenerTest, AMissingFileIsNamedWithItsEntry) {
  const auto opened = Open(File("/nowhere/libx.so"), O_RDONLY);
  ASSERT_TRUE(opened.has_error());
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(opened.error().message,
            "files.img entry id 7: /nowhere/libx.so: No such file or directory (ENOENT)");
}

TEST_F(PathOpenerTest, AnotherSizeIsRefusedWithBothSizes) {
  FilePlan file = File(directory_ + "/data");
  file.size_bytes = 12;
  EXPECT_EQ(ErrorOf(file),
            "files.img entry id 7: " + directory_ + "/data: size is 10 bytes, the dump says 12");
  file.size_bytes = 10;
  EXPECT_EQ(ErrorOf(file), "");
}

TEST_F(PathOpenerTest, AnotherModeIsRefusedWithBothModes) {
  FilePlan file = File(directory_ + "/data");
  file.mode = 0100755;
  EXPECT_EQ(ErrorOf(file), "files.img entry id 7: " + directory_ +
                               "/data: mode is 0100644, the dump says 0100755");
}

TEST_F(PathOpenerTest, APipeIsNotOpenedAtAll) {
  ASSERT_EQ(mkfifo((directory_ + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(ErrorOf(File(directory_ + "/fifo")),
            "files.img entry id 7: " + directory_ +
                "/fifo: is neither a regular file, a directory nor a device (mode 010600)");
}

TEST_F(PathOpenerTest, DevicesOfMemoryOpenAndOthersDoNot) {
  EXPECT_EQ(ErrorOf(File("/dev/null"), O_RDWR), "");
  EXPECT_EQ(ErrorOf(File("/dev/tty")),
            "files.img entry id 7: /dev/tty: device 5:0 is not supported");
}

TEST_F(PathOpenerTest, PathsLeadFromTheRootAlsoThroughLinks) {
  ASSERT_EQ(symlink("/data", (directory_ + "/link").c_str()), 0);
  const auto opened = Open(File("/../link"), O_RDONLY, directory_);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(ReadWholeFd(opened.value().get(), "link").value(), "0123456789");
}

TEST_F(PathOpenerTest, ARootThatIsMissingIsNamed) {
  const auto opened = PathOpener::Create("/nowhere");
  ASSERT_TRUE(opened.has_error());
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
