#include "process/union_branches.h"

#include <gtest/gtest.h>

#include <string>

namespace ckpt {
namespace {

using Branches = std::vector<UnionBranch>;

struct BranchRow {
  const char* text;
  UnionBranch expected;
};

TEST(UnionBranchesTest, AnAufsBranchIsPathPermissionAndAttributes) {
  const std::vector<BranchRow> rows = {
      {"/var/lib/docker/aufs/diff/abc=rw", {"/var/lib/docker/aufs/diff/abc", "rw", {}}},
      {"/b1=ro+wh", {"/b1", "ro", {"wh"}}},
      {"/b1=rr+wh+icex", {"/b1", "rr", {"wh", "icex"}}},
      {"/t/sp\\040ace=ro", {"/t/sp ace", "ro", {}}},
      {"/t/e=q=ro+wh", {"/t/e=q", "ro", {"wh"}}},
      {"/t/e=q=rw=ro", {"/t/e=q=rw", "ro", {}}},
      {"/t/back\\134slash\\012\\177=rw+nolwh", {"/t/back\\slash\n\x7f", "rw", {"nolwh"}}},
      {"/t/\xff\xfe=ro", {"/t/\xff\xfe", "ro", {}}},
      {"/t/plus+wh=ro", {"/t/plus+wh", "ro", {}}},
  };
  for (const BranchRow& row : rows) {
    const auto branch = ParseAufsBranch(row.text);
    ASSERT_TRUE(branch.has_value()) << branch.error().message;
    EXPECT_EQ(branch.value(), row.expected) << row.text;
  }
}

TEST(UnionBranchesTest, ABranchWithoutPermissionIsNamed) {
  EXPECT_EQ(ParseAufsBranch("/b0").error().message, "found \"/b0\", expected \"PATH=PERMISSION\"");
  EXPECT_TRUE(ParseAufsBranch("=rw").has_error());
  EXPECT_TRUE(ParseAufsBranch("").has_error());
}

TEST(UnionBranchesTest, AufsOptionsEndWithTheBranches) {
  const Branches expected = {
      {"/t/rw", "rw", {}}, {"/t/sp ace", "ro", {}}, {"/t/e=q", "ro", {"wh"}}};
  EXPECT_EQ(ParseAufsOptions("rw,si=78be709e5fa7cad8,dio,br:/t/rw=rw:/t/sp\\040ace=ro:/t/e=q=ro+wh")
                .value(),
            expected);
  EXPECT_EQ(ParseAufsOptions("rw,si=78be709e5fa7cad8,dio").value(), Branches());
  EXPECT_TRUE(ParseAufsOptions("rw,br:/t/rw").has_error());
}

TEST(UnionBranchesTest, UnionfsOptionsHaveDirs) {
  EXPECT_EQ(ParseUnionfsOptions("rw,dirs=/a=rw:/b=ro").value(),
            (Branches{{"/a", "rw", {}}, {"/b", "ro", {}}}));
}

struct OverlayRow {
  const char* options;
  Branches expected;
};

UnionBranch Lower(const char* path) { return {path, "ro", {}}; }
UnionBranch Data(const char* path) { return {path, "ro", {"data"}}; }
UnionBranch Upper(const char* path) { return {path, "rw", {}}; }

TEST(UnionBranchesTest, OverlayOptionsHaveTheUpperLayerAndTheLowerOnes) {
  const std::vector<OverlayRow> rows = {
      {"rw,lowerdir=/l1:/l2,upperdir=/u,workdir=/w,uuid=on",
       {Upper("/u"), Lower("/l1"), Lower("/l2")}},
      {"ro,lowerdir=/l1:/l2", {Lower("/l1"), Lower("/l2")}},
      {"rw,lowerdir=/l1:/l2::/d1::/d2", {Lower("/l1"), Lower("/l2"), Data("/d1"), Data("/d2")}},
      {"rw,lowerdir+=/l1,lowerdir+=/l2,datadir+=/d1,upperdir=/u",
       {Upper("/u"), Lower("/l1"), Lower("/l2"), Data("/d1")}},
      {"rw,lowerdir=l/ABC:l/DEF,upperdir=/var/lib/docker/overlay2/x/diff",
       {Upper("/var/lib/docker/overlay2/x/diff"), Lower("l/ABC"), Lower("l/DEF")}},
      {"rw,index=off,xino=off", {}},
      {"", {}},
  };
  for (const OverlayRow& row : rows) {
    EXPECT_EQ(ParseOverlayOptions(row.options), row.expected) << row.options;
  }
}

TEST(UnionBranchesTest, OverlayNamesHaveTwoKindsOfEscapes) {
  const std::vector<OverlayRow> rows = {
      // Of the printing: space, comma, newline.
      {"rw,lowerdir=/a\\040b:/c\\054d:/e\\012f", {Lower("/a b"), Lower("/c,d"), Lower("/e\nf")}},
      // Of the mount call: "\:", "\,", "\\", whose backslash and comma the kernel prints as octal.
      {"rw,lowerdir=/a\\134:b:/c\\134\\054d:/e\\134\\134f",
       {Lower("/a:b"), Lower("/c,d"), Lower("/e\\f")}},
      {"rw,upperdir=/u\\134:p,lowerdir=/l", {Upper("/u:p"), Lower("/l")}},
      // 6.6 printed the colon of a name as octal.
      {"rw,lowerdir=/a\\072b:/c", {Lower("/a:b"), Lower("/c")}},
      // Names given one by one have no backslashes of the mount call.
      {"rw,lowerdir+=/a\\134:b,lowerdir+=/c:d", {Lower("/a\\:b"), Lower("/c:d")}},
      {"rw,lowerdir=/x\xff\\134", {Lower("/x\xff\\")}},
  };
  for (const OverlayRow& row : rows) {
    EXPECT_EQ(ParseOverlayOptions(row.options), row.expected) << row.options;
  }
}

}  // namespace
}  // namespace ckpt
