#include "imgtool/branch_match.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "imgtool/branch_map_text.h"

namespace ckpt {
namespace {

constexpr std::string_view kMap = R"(branch-map 1
union web
  branch rw /d/ID
  branch ro+wh /d/ID-init
  branch ro+wh /d/e=q=ro
  branch ro+wh /d/sp\040a\011b\012c\134d\377
  branch ro+wh /shared
union nested
  mountpoint /mnt/u
  branch rw /d/ID/inner
  branch ro /shared
)";

struct Row {
  std::string path;
  std::vector<BranchMatch> matches;
};

void PrintTo(const Row& row, std::ostream* out) { *out << testing::PrintToString(row.path); }

class BranchMatchTest : public testing::TestWithParam<Row> {};

TEST_P(BranchMatchTest, FindsTheLongestBranchByWholeComponents) {
  const BranchMap map = ParseBranchMap(kMap, "m").value();
  EXPECT_EQ(BranchMatcher(map).Match(GetParam().path), GetParam().matches);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BranchMatchTest,
    testing::Values(
        Row{"/d/ID/bin/sh", {{0, 0, "/bin/sh"}}},
        Row{"/d/ID", {{0, 0, ""}}},  // the branch itself is the union's root
        Row{"/d/ID-init/etc/x", {{0, 1, "/etc/x"}}}, Row{"/d/ID-init", {{0, 1, ""}}},
        Row{"/d/ID-removing/x", {}}, Row{"/d/I", {}}, Row{"/d", {}}, Row{"/", {}}, Row{"", {}},
        Row{"d/ID/x", {}}, Row{"/D/ID/x", {}},  // byte-wise, no case folding
        Row{"/d/e=q=ro/a", {{0, 2, "/a"}}}, Row{"/d/sp a\tb\nc\\d\xff/\xfe", {{0, 3, "/\xfe"}}},
        Row{"/d/ID/inner/x", {{1, 0, "/x"}}},  // the longer branch, of another union
        Row{"/d/ID/inner2/x", {{0, 0, "/inner2/x"}}},
        Row{"/shared/lib", {{0, 4, "/lib"}, {1, 1, "/lib"}}},
        Row{"/d/ID/x (deleted)", {{0, 0, "/x (deleted)"}}},
        Row{"/d/ID (deleted)", {{0, 0, "", true}}}, Row{"/d/ID-init (deleted)", {{0, 1, "", true}}},
        Row{"/d/ID (deleted)/x", {}}, Row{"/dev/zero (deleted)", {}}, Row{"/memfd:x (deleted)", {}},
        Row{"/SYSV00000000 (deleted)", {}}, Row{"/[aio] (deleted)", {}},
        Row{"anon_inode:[eventfd]", {}},
        Row{"/d/ID/" + std::string(4088, 'x'), {{0, 0, "/" + std::string(4088, 'x')}}}));

TEST(BranchMatchOrderTest, MoreThanTenBranchesAreCountedAsNumbers) {
  std::string text = "branch-map 1\nunion u\n";
  for (int i = 0; i < 12; ++i) text += "branch ro+wh /b" + std::to_string(i) + "\n";
  const BranchMap map = ParseBranchMap(text, "m").value();
  const BranchMatcher matcher(map);
  EXPECT_EQ(matcher.Match("/b10/x"), (std::vector<BranchMatch>{{0, 10, "/x"}}));
  EXPECT_EQ(matcher.Match("/b1/x"), (std::vector<BranchMatch>{{0, 1, "/x"}}));
}

TEST(BranchMatchOrderTest, NamesOfAufsItselfAreKnown) {
  EXPECT_TRUE(IsReservedInAufs("/.wh..wh.plnk/27.48"));
  EXPECT_TRUE(IsReservedInAufs("/.wh..wh.orph/x"));
  EXPECT_TRUE(IsReservedInAufs("/etc/.wh.gone"));
  EXPECT_FALSE(IsReservedInAufs("/etc/.where"));
  EXPECT_FALSE(IsReservedInAufs("/x.wh.y"));
  EXPECT_EQ(UpToReservedInAufs("/d/.wh..wh.orph/x"), "/d/.wh..wh.orph");
  EXPECT_EQ(UpToReservedInAufs("/etc/.wh.gone"), "/etc/.wh.gone");
  EXPECT_EQ(UpToReservedInAufs("/x.wh.y/z"), "/x.wh.y/z");
}

}  // namespace
}  // namespace ckpt
