#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "imgtool/directory_fixture.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

using std::string_literals::operator""s;

// fs_entry {cwd_id: 1, root_id: 2}
const std::string kFsEntry = "\x04\0\0\0\x08\x01\x10\x02"s;
const std::string kFsImage = "\x19\x43\x56\x54\x12\x39\x40\x51"s + kFsEntry;
// pipe_data_entry {pipe_id: 1, bytes: 3} and the bytes
const std::string kPipesImage = "\x19\x43\x56\x54\x09\x37\x45\x56\x04\0\0\0\x08\x01\x10\x03xyz"s;

using InfoTest = DirectoryFixture;

TEST_F(InfoTest, PrintsALineForEachFileOfADump) {
  Put("fs-1.img", kFsImage + kFsEntry);
  Put("fs-2.img", kFsImage.substr(4));  // image version 1
  Put("pipes-data.img", kPipesImage);
  Put("pages-1.img", "1234");
  Put("dump.log", "12");
  std::filesystem::create_symlink("../before", directory_ + "/parent");
  const ToolRun run = RunTool({"info", directory_});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(run.out,
            "        SIZE   ENTRIES     EXTRA TYPE            NAME                     WHAT\n"
            "           2         -         - -               dump.log                 no image\n"
            "          24         2         0 FS              fs-1.img                 "
            "working directory, root and umask\n"
            "          12         1         0 FS              fs-2.img                 "
            "working directory, root and umask, image version 1\n"
            "           4         -         - PAGES           pages-1.img              "
            "the pages of one pagemap\n"
            "           9         -         - -               parent                   "
            "link to ../before\n"
            "          19         1         3 PIPES_DATA      pipes-data.img           "
            "what pipes hold\n");
}

TEST_F(InfoTest, PrintsJsonForPrograms) {
  const ToolRun run = RunTool({"info", "--json", Put("pipes-data.img", kPipesImage)});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, R"({
    "pipes-data.img": {
        "type": "PIPES_DATA",
        "size_bytes": 19,
        "entries": 1,
        "extra_bytes": 3,
        "header": "current"
    }
}
)");
}

TEST_F(InfoTest, SaysWhatIsWrongWithADamagedImageAndListsTheOthers) {
  const std::string damaged = Put("fs-1.img", kFsImage.substr(0, 14));
  Put("fs-2.img", kFsImage);
  const ToolRun run = RunTool({"info", directory_});
  EXPECT_EQ(run.code, 4);
  EXPECT_EQ(run.err, "imgtool info: " + damaged +
                         ": entry 0 at offset 8: length 4 runs 2 bytes past the end of the file\n");
  EXPECT_THAT(run.out, testing::HasSubstr("fs-1.img                 damaged\n"));
  EXPECT_THAT(run.out, testing::HasSubstr("fs-2.img                 working directory"));
}

TEST_F(InfoTest, PutsTheErrorOfADamagedImageIntoJson) {
  const std::string damaged = Put("fs-1.img", "");
  const ToolRun run = RunTool({"info", "--json", damaged});
  EXPECT_EQ(run.code, 4);
  EXPECT_EQ(run.out, R"({
    "fs-1.img": {
        "type": "FS",
        "size_bytes": 0,
        "error": ")" + damaged +
                         R"(: empty file, a magic of 4 bytes expected"
    }
}
)");
}

TEST_F(InfoTest, SaysThatAPathDoesNotExist) {
  const ToolRun run = RunTool({"info", directory_ + "/none"});
  EXPECT_EQ(run.code, 3);
  EXPECT_THAT(run.err, testing::HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace ckpt
