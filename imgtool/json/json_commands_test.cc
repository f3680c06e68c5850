#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/sample_image.h"
#include "imgtool/directory_fixture.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

// fs_entry {cwd_id: 1, root_id: 2} in an image of version 1.1.
const std::string kFsImage = "\x19\x43\x56\x54\x12\x39\x40\x51\x04\0\0\0\x08\x01\x10\x02"s;
constexpr std::string_view kFsJson = R"({"magic": "FS", "entries": [{"cwd_id": 1, "root_id": 2}]})";

class JsonCommandsTest : public DirectoryFixture {
 protected:
  std::string Read(const std::string& path) {
    Result<std::string> bytes = ReadWholeFile(path);
    EXPECT_TRUE(bytes) << path;
    return bytes ? std::move(bytes).value() : "";
  }
  std::string Out(const std::string& name) { return directory_ + "/" + name; }
};

TEST_F(JsonCommandsTest, DecodePrintsAnImage) {
  const ToolRun run = RunTool({"decode", Put("fs-1.img", kFsImage)});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(run.out, std::string(kFsJson) + "\n");
}

TEST_F(JsonCommandsTest, DecodeAndEncodeTakeTheOptionsOfCrit) {
  const std::string image = Put("fs-1.img", kFsImage);
  EXPECT_EQ(RunTool({"decode", "-i", image, "-o", Out("x.json"), "--pretty"}).code, 0);
  EXPECT_THAT(Read(Out("x.json")), HasSubstr("\n    \"magic\": \"FS\",\n"));
  EXPECT_EQ(RunTool({"encode", "-i", Out("x.json"), "-o", Out("again.img")}).code, 0);
  EXPECT_EQ(Read(Out("again.img")), kFsImage);
}

TEST_F(JsonCommandsTest, RestoreAnImageOfEveryTypeInEveryForm) {
  for (const ImageType type : TypesWithEntries()) {
    const std::string bytes = SampleImage(type);
    const std::string image = Put(ImageFileName(type, 1), bytes);
    // Both are pages-1.img, which is taken for the raw type.
    for (const char* form : {"--lossless", "--pretty", "--ndjson"}) {
      ASSERT_EQ(RunTool({"decode", image, "--lossless", "-o", Out("x.json")}).code, 0) << image;
      const std::string option = form;
      if (option != "--lossless") {
        ASSERT_EQ(RunTool({"decode", image, "--lossless", option, "-o", Out("x.json")}).code, 0);
      }
      const ToolRun run = RunTool({"encode", Out("x.json"), "-o", Out("again.img")});
      EXPECT_EQ(run.code, 0) << image << run.err;
      EXPECT_TRUE(Read(Out("again.img")) == bytes) << image;
    }
    std::filesystem::remove(image);
  }
}

TEST_F(JsonCommandsTest, DecodePrintsALineForEachEntry) {
  const ToolRun run =
      RunTool({"decode", "--ndjson", Put("fs-1.img", kFsImage + kFsImage.substr(8))});
  EXPECT_EQ(run.out,
            "{\"magic\": \"FS\"}\n{\"cwd_id\": 1, \"root_id\": 2}\n"
            "{\"cwd_id\": 1, \"root_id\": 2}\n");
}

TEST_F(JsonCommandsTest, DecodeHasTheBytesOfRawImages) {
  const std::string image = Put("route-5.img", "12345");
  EXPECT_EQ(RunTool({"decode", image}).out,
            R"({"raw": true, "type": "ROUTE", "size_bytes": 5, "extra": "MTIzNDU=\n"})"
            "\n");
  RunTool({"decode", image, "-o", Out("x.json")});
  EXPECT_EQ(RunTool({"encode", Out("x.json"), "-o", Out("again.img")}).code, 0);
  EXPECT_EQ(Read(Out("again.img")), "12345");
}

// More than the threads hold between them.
TEST_F(JsonCommandsTest, RestoreALongImageOfManyEntriesAndOneOfManyBytes) {
  std::string entries = kFsImage;
  for (int i = 0; i < 300000; ++i) entries += kFsImage.substr(8);
  std::string bytes;
  for (uint32_t i = 0; i < 5000000; ++i) bytes += static_cast<char>((i * i) >> 7);
  for (const auto& [name, content] :
       {std::pair("fs-1.img", entries), std::pair("route-5.img", bytes)}) {
    ASSERT_EQ(RunTool({"decode", Put(name, content), "-o", Out("x.json")}).code, 0);
    EXPECT_TRUE(Read(Out("x.json")) == RunTool({"decode", Out(name)}).out) << name;
    ASSERT_EQ(RunTool({"encode", Out("x.json"), "-o", Out("again.img")}).code, 0);
    EXPECT_TRUE(Read(Out("again.img")) == content) << name;
  }
}

TEST_F(JsonCommandsTest, DecodeEndsWhenNobodyTakesItsOutput) {
  const std::string image = Put("route-5.img", std::string(20000000, 'x'));
  std::ofstream out("/dev/full");
  std::istringstream in;
  std::ostringstream err;
  const std::vector<std::string> args = {"decode", image};
  EXPECT_EQ(RunImgtool(args, {in, out, err}), 0);
  EXPECT_FALSE(out.good());
  EXPECT_EQ(err.str(), "");
}

TEST_F(JsonCommandsTest, DecodeNamesEntriesThatEncodeWouldNotRestore) {
  const std::string image = Put("fs-1.img", kFsImage + "\x07\0\0\0\x08\x01\x10\x02\xf8\x07\x05"s);
  const ToolRun run = RunTool({"decode", image});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.err,
            "imgtool decode: " + image +
                ": entry 1 at offset 16: unknown fields: encode will not restore its bytes "
                "without --lossless\n");
  const ToolRun lossless = RunTool({"decode", image, "--lossless"});
  EXPECT_EQ(lossless.err, "");
  EXPECT_THAT(lossless.out, HasSubstr(R"("root_id": 2, "raw": "CAEQAvgHBQ==\n"})"));
}

TEST_F(JsonCommandsTest, DecodeWritesNoFileOfADamagedImage) {
  const std::string image = Put("fs-1.img", kFsImage + "\x05\0\0\0"s);
  const std::string out = Put("x.json", "before");
  const ToolRun run = RunTool({"decode", image, "-o", out});
  EXPECT_EQ(run.code, 4);
  EXPECT_THAT(run.err, HasSubstr("length 5 runs 5 bytes past the end of the file"));
  EXPECT_EQ(Read(out), "before");
}

TEST_F(JsonCommandsTest, EncodeLeavesAnExistingFileAloneUnlessItIsDone) {
  const std::string out = Put("fs-1.img", "before");
  const std::string json =
      Put("x.json", R"({"magic": "FS", "entries": [{"cwd_id": 1, "rot": 2}]})");
  const ToolRun run = RunTool({"encode", json, "-o", out});
  EXPECT_EQ(run.code, 4);
  EXPECT_EQ(run.err, "imgtool encode: " + json +
                         ": line 1, column 43: entries[0]: \"rot\" is no field of fs_entry\n");
  EXPECT_EQ(Read(out), "before");
  EXPECT_EQ(ListDirectory(directory_).value().size(), 2u);
}

TEST_F(JsonCommandsTest, RefuseACommandLineWithoutInputOrOutput) {
  EXPECT_EQ(RunTool({"decode"}).code, 2);
  EXPECT_EQ(RunTool({"encode", Put("x.json", kFsJson)}).code, 2);
  EXPECT_EQ(RunTool({"decode", directory_}).code, 2);
  EXPECT_EQ(RunTool({"encode", directory_ + "/none", "-o", Out("y")}).code, 3);
}

}  // namespace
}  // namespace ckpt
