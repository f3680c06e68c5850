#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <ostream>
#include <sstream>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

#include "imgtool/directory_fixture.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;
using testing::StartsWith;

// fs_entry {cwd_id: 1, root_id: 2} in an image of version 1.1.
const std::string kFsImage = "\x19\x43\x56\x54\x12\x39\x40\x51\x04\0\0\0\x08\x01\x10\x02"s;
constexpr std::string_view kFsJson = R"({"magic": "FS", "entries": [{"cwd_id": 1, "root_id": 2}]})";

using ShowTest = DirectoryFixture;

TEST_F(ShowTest, PrintsAnImageAsOneLine) {
  const ToolRun run = RunTool({"show", Put("fs-1.img", kFsImage)});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, std::string(kFsJson) + "\n");
  EXPECT_EQ(run.err, "");
}

TEST_F(ShowTest, PrintsPrettyWithIndents) {
  const ToolRun run = RunTool({"show", "--pretty", Put("fs-1.img", kFsImage)});
  EXPECT_EQ(run.out, R"({
    "magic": "FS",
    "entries": [
        {
            "cwd_id": 1,
            "root_id": 2
        }
    ]
}
)");
}

TEST_F(ShowTest, PrintsEachPathAsAValueOfItsOwn) {
  const std::string path = Put("fs-1.img", kFsImage);
  const ToolRun run = RunTool({"show", path, path});
  EXPECT_EQ(run.out, std::string(kFsJson) + "\n" + std::string(kFsJson) + "\n");
}

TEST_F(ShowTest, PrintsADumpByFileName) {
  Put("fs-1.img", kFsImage);
  Put("pages-1.img", "1234");
  Put("dump.log", "12");
  std::filesystem::create_symlink("../before", directory_ + "/parent");
  const ToolRun run = RunTool({"show", directory_});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(run.out, R"({"dump.log": {"unknown": true, "size_bytes": 2}, "fs-1.img": )" +
                         std::string(kFsJson) +
                         R"(, "pages-1.img": {"raw": true, "type": "PAGES", "size_bytes": 4}, )"
                         R"("parent": {"link": "../before"}})"
                         "\n");
}

TEST_F(ShowTest, EscapesFileNamesThatAreNoUtf8) {
  Put("\xff.log", "");
  EXPECT_EQ(RunTool({"show", directory_}).out,
            "{\"\\udcff.log\": {\"unknown\": true, \"size_bytes\": 0}}\n");
}

TEST_F(ShowTest, ShowsTheOtherImagesOfADumpWithADamagedOne) {
  const std::string damaged = Put("fs-1.img", kFsImage + "\x05\0\0\0"s);
  Put("fs-2.img", kFsImage);
  const ToolRun run = RunTool({"show", directory_});
  EXPECT_EQ(run.code, 4);
  const std::string message =
      damaged + ": entry 1 at offset 16: length 5 runs 5 bytes past the end of the file";
  EXPECT_EQ(run.err, "imgtool show: " + message + "\n");
  EXPECT_EQ(run.out, R"({"fs-1.img": {"magic": "FS", "entries": [{"cwd_id": 1, "root_id": 2}], )"
                     R"("error": ")" +
                         message + R"("}, "fs-2.img": )" + std::string(kFsJson) + "}\n");
}

TEST_F(ShowTest, CountsFieldsThatItDoesNotKnow) {
  const std::string path =
      Put("fs-1.img", "\x19\x43\x56\x54\x12\x39\x40\x51\x07\0\0\0\x08\x01\x10\x02\xf8\x07\x05"s);
  const ToolRun run = RunTool({"show", path});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, std::string(kFsJson) + "\n");
  EXPECT_EQ(run.err, "imgtool show: " + path + ": unknown fields, not shown: 1\n");
}

TEST_F(ShowTest, GoesOnAfterAPathThatDoesNotExist) {
  const std::string path = Put("fs-1.img", kFsImage);
  const ToolRun run = RunTool({"show", directory_ + "/none", path});
  EXPECT_EQ(run.code, 3);
  EXPECT_EQ(run.out, std::string(kFsJson) + "\n");
  EXPECT_EQ(run.err, "imgtool show: stat(\"" + directory_ +
                         "/none\"): No such file or directory (ENOENT)\n");
}

TEST_F(ShowTest, RefusesAFileThatIsNoImage) {
  const ToolRun run = RunTool({"show", Put("dump.log", "some text")});
  EXPECT_EQ(run.code, 4);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, HasSubstr("dump.log: magic 0x656d6f73 at offset 0 is of no image type"));
}

// A sink that takes a number of bytes and then fails, as a pipe does whose reader has gone.
class ShortSink : public std::streambuf {
 public:
  size_t taken() const { return taken_; }

 protected:
  std::streamsize xsputn(const char*, std::streamsize size) override {
    if (taken_ > 0) return 0;
    taken_ += static_cast<size_t>(size);
    return size;
  }
  int_type overflow(int_type) override { return traits_type::eof(); }

 private:
  size_t taken_ = 0;
};

TEST_F(ShowTest, StopsReadingWhenNobodyTakesItsOutput) {
  std::string image = kFsImage;
  for (int i = 0; i < 100000; ++i) image += kFsImage.substr(8);
  const std::string path = Put("fs-1.img", image);
  ShortSink sink;
  std::ostream out(&sink);
  std::istringstream in;
  std::ostringstream err;
  const std::vector<std::string> args = {"show", path, directory_ + "/never-looked-at"};
  EXPECT_EQ(RunImgtool(args, {in, out, err}), 0);
  EXPECT_EQ(err.str(), "");
  EXPECT_GT(sink.taken(), 0u);
}

}  // namespace
}  // namespace ckpt
