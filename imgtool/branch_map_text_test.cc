#include "imgtool/branch_map_text.h"

#include <gtest/gtest.h>

#include <string>

#include "base/file.h"

namespace ckpt {
namespace {

constexpr std::string_view kTwoUnions = R"(# of host a
branch-map 1

union web            # the root of the container
  type aufs
  mnt-id 44
  mnt-ns 7
  branch rw /var/lib/docker/aufs/diff/ab/
  branch ro+wh+nolwh //var/lib/docker/aufs/diff/ab-init at /mnt/old/ab-init
union data
  mountpoint /mnt/u#1
  branch rr /e=q=ro\040x
)";

std::string ErrorOf(std::string_view text) {
  const auto map = ParseBranchMap(text, "web.map");
  return map.has_error() ? map.error().message : "no error";
}

TEST(BranchMapTextTest, EverythingThatAMapSaysIsRead) {
  const BranchMap map = ParseBranchMap(kTwoUnions, "web.map").value();
  ASSERT_EQ(map.unions.size(), 2U);
  const MapUnion& web = map.unions[0];
  EXPECT_EQ(web.id, "web");
  EXPECT_EQ(web.mountpoint, "/");
  EXPECT_EQ(web.type, "aufs");
  EXPECT_EQ(web.mnt_id, 44U);
  EXPECT_EQ(web.mnt_ns_id, 7U);
  EXPECT_EQ(web.origin, "web.map:4");
  ASSERT_EQ(web.branches.size(), 2U);
  EXPECT_EQ(web.branches[0].path, "/var/lib/docker/aufs/diff/ab");
  EXPECT_EQ(web.branches[0].permission, BranchPermission::kReadWrite);
  EXPECT_FALSE(web.branches[0].access_path);
  EXPECT_EQ(web.branches[1].path, "/var/lib/docker/aufs/diff/ab-init");
  EXPECT_EQ(web.branches[1].attributes, (std::vector<std::string>{"wh", "nolwh"}));
  EXPECT_EQ(web.branches[1].access_path, "/mnt/old/ab-init");
  EXPECT_EQ(web.branches[1].origin, "web.map:9");
  EXPECT_EQ(map.unions[1].mountpoint, "/mnt/u#1");
  EXPECT_EQ(map.unions[1].branches[0].path, "/e=q=ro x");
  EXPECT_EQ(map.unions[1].branches[0].permission, BranchPermission::kRealReadOnly);
}

TEST(BranchMapTextTest, APrintedMapIsReadBackTheSame) {
  const BranchMap map = ParseBranchMap(kTwoUnions, "web.map").value();
  const std::string printed = PrintBranchMap(map);
  EXPECT_EQ(printed,
            "branch-map 1\n"
            "union web\n"
            "  mountpoint /\n"
            "  type aufs\n"
            "  mnt-id 44\n"
            "  mnt-ns 7\n"
            "  branch rw /var/lib/docker/aufs/diff/ab\n"
            "  branch ro+wh+nolwh /var/lib/docker/aufs/diff/ab-init at /mnt/old/ab-init\n"
            "union data\n"
            "  mountpoint /mnt/u\\0431\n"
            "  branch rr /e=q=ro\\040x\n");
  EXPECT_EQ(PrintBranchMap(ParseBranchMap(printed, "printed").value()), printed);
}

TEST(BranchMapTextTest, EveryByteOfAPathButNulComesBack) {
  BranchMap map = ParseBranchMap("branch-map 1\nunion u\nbranch rw /b\n", "m").value();
  std::string path = "/";
  for (int byte = 1; byte < 256; ++byte) {
    if (byte != '/') path += static_cast<char>(byte);
  }
  map.unions[0].branches[0].path = path;
  map.unions[0].mountpoint = path;
  const BranchMap read = ParseBranchMap(PrintBranchMap(map), "m").value();
  EXPECT_EQ(read.unions[0].branches[0].path, path);
  EXPECT_EQ(read.unions[0].mountpoint, path);
}

TEST(BranchMapTextTest, TheLastLineNeedsNoNewlineAndCarriageReturnsAreBlanks) {
  EXPECT_EQ(ErrorOf("branch-map 1\r\nunion u\r\nbranch rw /b"), "no error");
}

TEST(BranchMapTextTest, BranchesKeepTheirOrderBeyondTen) {
  std::string text = "branch-map 1\nunion u\n";
  for (int i = 0; i < 12; ++i) text += "branch ro+wh /b" + std::to_string(i) + "\n";
  const BranchMap map = ParseBranchMap(text, "m").value();
  ASSERT_EQ(map.unions[0].branches.size(), 12U);
  EXPECT_EQ(map.unions[0].branches[2].path, "/b2");
  EXPECT_EQ(map.unions[0].branches[10].path, "/b10");
}

TEST(BranchMapTextTest, TheExampleOfThePageIsAMap) {
  const std::string page = ReadWholeFile("docs/branch-map.md").value();
  const size_t begin = page.find("```\n") + 4;
  const std::string example = page.substr(begin, page.find("```", begin) - begin);
  const BranchMap map = ParseBranchMap(example, "docs/branch-map.md").value();
  ASSERT_EQ(map.unions.size(), 2U);
  EXPECT_EQ(map.unions[0].branches[2].access_path, "/mnt/backup/9e3b");
  EXPECT_EQ(map.unions[1].mountpoint, "/srv/data files");
  EXPECT_TRUE(BranchMapWarnings(map).empty());
}

struct Wrong {
  std::string_view text;
  std::string_view message;
};

class WrongMapTest : public testing::TestWithParam<Wrong> {};

TEST_P(WrongMapTest, IsRefusedWithFileAndLine) {
  EXPECT_EQ(ErrorOf(GetParam().text), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    AllKinds, WrongMapTest,
    testing::Values(
        Wrong{"", "web.map: a branch map begins with the line \"branch-map 1\""},
        Wrong{"union u\n", "web.map:1: a branch map begins with the line \"branch-map 1\""},
        Wrong{"branch-map 2\n", "web.map:1: branch map version 2, only 1 is known"},
        Wrong{"branch-map 1\n# none\n", "web.map: the map has no union"},
        Wrong{"branch-map 1\nbranch rw /b\n", "web.map:2: \"branch\" before the first union"},
        Wrong{"branch-map 1\nunion u\n", "web.map:2: union u has no branches"},
        Wrong{"branch-map 1\nunion a b\n", "web.map:2: 3 words, the form is \"union ID\""},
        Wrong{"branch-map 1\nunion u\nlayer /b\n",
              "web.map:3: \"layer\" is none of union, mountpoint, type, mnt-id, mnt-ns, si, device "
              "and branch"},
        Wrong{"branch-map 1\nunion u\nbranch /b\n",
              "web.map:3: 2 words, the form is \"branch PERMISSION PATH [at PATH]\""},
        Wrong{"branch-map 1\nunion u\nbranch rw /b at\n",
              "web.map:3: 4 words, the form is \"branch PERMISSION PATH [at PATH]\""},
        Wrong{"branch-map 1\nunion u\nbranch rw /my layer x\n",
              "web.map:3: \"layer\" where \"at\" or the end of the line should be; a space in a "
              "path is written \\040"},
        Wrong{"branch-map 1\nunion u\nbranch wr /b\n",
              "web.map:3: branch permission \"wr\": rw, ro or rr, then +attributes"},
        Wrong{"branch-map 1\nunion u\nbranch ro+ /b\n",
              "web.map:3: branch permission \"ro+\": an attribute is letters"},
        Wrong{"branch-map 1\nunion u\nbranch rw b\n", "web.map:3: path \"b\" is not absolute"},
        Wrong{"branch-map 1\nunion u\nbranch rw /b/../c\n",
              "web.map:3: path \"/b/../c\" has \".\" or \"..\" in it"},
        Wrong{"branch-map 1\nunion u\nbranch rw /b\nbranch ro /b/\n",
              "web.map:4: branch /b is said twice, first at web.map:3"},
        Wrong{"branch-map 1\nunion u\nbranch rw /\n", "web.map:3: a branch cannot be \"/\""},
        Wrong{"branch-map 1\nunion u\nmountpoint /a\nmountpoint /b\nbranch rw /c\n",
              "web.map:4: \"mountpoint\" twice in one union"},
        Wrong{"branch-map 1\nunion u\nmnt-id -1\n", "web.map:3: \"-1\" is no number of 32 bits"},
        Wrong{"branch-map 1\nunion u\nbranch rw /b\nunion u\nbranch rw /c\n",
              "web.map:4: union u is said twice, first at web.map:2"}));

}  // namespace
}  // namespace ckpt
