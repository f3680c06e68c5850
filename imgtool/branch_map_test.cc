#include "imgtool/branch_map.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace ckpt {
namespace {

Branch MakeBranch(std::string path, std::string origin = "m:1") {
  Branch branch;
  branch.path = std::move(path);
  branch.origin = std::move(origin);
  return branch;
}

BranchMap OneUnion(std::vector<Branch> branches) {
  MapUnion mount;
  mount.id = "u";
  mount.mountpoint = "/";
  mount.branches = std::move(branches);
  mount.origin = "m:0";
  return {{mount}};
}

std::string ErrorOf(const Result<>& result) {
  return result.has_error() ? result.error().message : "no error";
}

TEST(BranchMapTest, PathsAreMadeNormal) {
  EXPECT_EQ(NormalPath("/a//b/").value(), "/a/b");
  EXPECT_EQ(NormalPath("///").value(), "/");
  EXPECT_EQ(NormalPath("/a b\n\xff").value(), "/a b\n\xff");
}

TEST(BranchMapTest, PathsOfUpTo4095BytesAreTaken) {
  EXPECT_EQ(NormalPath("/" + std::string(4094, 'x')).value().size(), 4095U);
  EXPECT_EQ(NormalPath("/" + std::string(4095, 'x')).error().message,
            "path of 4096 bytes, at most 4095 are allowed");
}

TEST(BranchMapTest, PathsThatAreNotOneDirectoryAreRefused) {
  EXPECT_EQ(NormalPath("a/b").error().message, "path \"a/b\" is not absolute");
  EXPECT_EQ(NormalPath("").error().message, "path \"\" is not absolute");
  EXPECT_EQ(NormalPath("/a/../b").error().message, "path \"/a/../b\" has \".\" or \"..\" in it");
  EXPECT_EQ(NormalPath(std::string("/a\0b", 4)).error().message, "path \"/a\\000b\" holds a NUL");
}

TEST(BranchMapTest, WithinIsByWholeComponents) {
  EXPECT_TRUE(IsWithin("/d/ID", "/d/ID"));
  EXPECT_TRUE(IsWithin("/d/ID/x", "/d/ID"));
  EXPECT_FALSE(IsWithin("/d/ID-init", "/d/ID"));
  EXPECT_FALSE(IsWithin("/d", "/d/ID"));
  EXPECT_TRUE(IsWithin("/x", "/"));
}

TEST(BranchMapTest, AUnionPathIsTheMountpointAndTheRest) {
  MapUnion mount;
  mount.mountpoint = "/";
  EXPECT_EQ(UnionPath(mount, ""), "/");
  EXPECT_EQ(UnionPath(mount, "/bin/sh"), "/bin/sh");
  mount.mountpoint = "/mnt/u";
  EXPECT_EQ(UnionPath(mount, ""), "/mnt/u");
  EXPECT_EQ(UnionPath(mount, "/bin/sh"), "/mnt/u/bin/sh");
}

TEST(BranchMapTest, WhiteoutsCountOnWritableBranchesAndThoseThatSaySo) {
  Branch branch = MakeBranch("/b");
  EXPECT_TRUE(HonoursWhiteouts(branch));
  branch.permission = BranchPermission::kReadOnly;
  EXPECT_FALSE(HonoursWhiteouts(branch));
  branch.attributes = {"wh"};
  EXPECT_TRUE(HonoursWhiteouts(branch));
}

TEST(BranchMapTest, WhatCannotBeIsRefusedWithItsPlace) {
  EXPECT_EQ(ErrorOf(CheckBranchMap(OneUnion({}))), "m:0: union u has no branches");
  EXPECT_EQ(ErrorOf(CheckBranchMap(OneUnion({MakeBranch("/", "m:3")}))),
            "m:3: a branch cannot be \"/\"");
  EXPECT_EQ(ErrorOf(CheckBranchMap(OneUnion({MakeBranch("/a", "m:3"), MakeBranch("/a", "m:4")}))),
            "m:4: branch /a is said twice, first at m:3");
  BranchMap twice = OneUnion({MakeBranch("/a")});
  twice.unions.push_back(twice.unions[0]);
  EXPECT_EQ(ErrorOf(CheckBranchMap(twice)), "m:0: union u is said twice, first at m:0");
  twice.unions[1].id = "v";
  EXPECT_EQ(ErrorOf(CheckBranchMap(twice)), "m:0: unions u and v share the mountpoint /");
  twice.unions[1].mnt_ns_id = 7;
  EXPECT_EQ(ErrorOf(CheckBranchMap(twice)), "no error");
}

TEST(BranchMapTest, AsManyBranchesAsAufsCanHaveAreTaken) {
  std::vector<Branch> branches;
  for (int i = 0; i < 32767; ++i) branches.push_back(MakeBranch("/b" + std::to_string(i)));
  EXPECT_EQ(ErrorOf(CheckBranchMap(OneUnion(branches))), "no error");
  branches.push_back(MakeBranch("/one-more"));
  EXPECT_EQ(ErrorOf(CheckBranchMap(OneUnion(branches))),
            "m:0: union u has 32768 branches, at most 32767 are allowed");
}

TEST(BranchMapTest, NestedAndSeveralWritableBranchesAreWarnedOf) {
  BranchMap map =
      OneUnion({MakeBranch("/d/ID-init"), MakeBranch("/d/ID/x", "m:5"), MakeBranch("/d/ID")});
  EXPECT_EQ(BranchMapWarnings(map),
            (std::vector<std::string>{"m:5: branch /d/ID/x lies inside branch /d/ID",
                                      "m:0: union u has 3 writable branches, most have one"}));
  for (Branch& branch : map.unions[0].branches) branch.permission = BranchPermission::kReadOnly;
  map.unions[0].branches.erase(map.unions[0].branches.begin() + 1);
  EXPECT_TRUE(BranchMapWarnings(map).empty());
}

}  // namespace
}  // namespace ckpt
