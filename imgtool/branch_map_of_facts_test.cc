#include "imgtool/branch_map_of_facts.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "imgtool/branch_map_text.h"

namespace ckpt {
namespace {

using Branches = std::vector<std::pair<std::string, std::string>>;

RecordedUnion Recorded(size_t entry, int32_t mnt_id, std::string mountpoint,
                       const Branches& branches) {
  RecordedUnion recorded;
  recorded.place = {"ckpt-raw.img", entry};
  recorded.entry.set_mnt_ns_id(7);
  recorded.entry.set_mnt_id(mnt_id);
  recorded.entry.set_fstype("overlay");
  recorded.entry.set_mountpoint(std::move(mountpoint));
  for (const auto& [path, permissions] : branches) {
    pb::raw_branch& branch = *recorded.entry.add_branches();
    branch.set_path(path);
    branch.set_permissions(permissions);
  }
  return recorded;
}

TEST(BranchMapOfFactsTest, ARecordedUnionIsAMap) {
  const auto map = BranchMapOfFacts({Recorded(0, 44, "/", {{"/u", "rw"}, {"/l 1", "ro+wh+x2"}}),
                                     Recorded(1, 45, "/mnt/u", {{"/v", "rr"}})});
  EXPECT_EQ(PrintBranchMap(map.value()),
            "branch-map 1\n"
            "union 7:44\n  mountpoint /\n  type overlay\n  mnt-id 44\n  mnt-ns 7\n"
            "  branch rw /u\n  branch ro+wh+x2 /l\\0401\n"
            "union 7:45\n  mountpoint /mnt/u\n  type overlay\n  mnt-id 45\n  mnt-ns 7\n"
            "  branch rr /v\n");
}

TEST(BranchMapOfFactsTest, OfUnionsUponEachOtherTheLastCounts) {
  const auto map = BranchMapOfFacts(
      {Recorded(0, 44, "/u", {{"/a", "rw"}}), Recorded(1, 45, "/u", {{"/b", "rw"}})});
  ASSERT_EQ(map.value().unions.size(), 1U);
  EXPECT_EQ(map.value().unions[0].id, "7:45");
}

TEST(BranchMapOfFactsTest, UnionsWithoutKnownBranchesAreNone) {
  EXPECT_TRUE(BranchMapOfFacts({Recorded(0, 44, "/u", {})}).value().unions.empty());
}

TEST(BranchMapOfFactsTest, WhatCannotBeIsNamedWithItsEntry) {
  EXPECT_EQ(BranchMapOfFacts({Recorded(3, 44, "/", {{"a", "rw"}})}).error().message,
            "ckpt-raw.img: entry 3: path \"a\" is not absolute");
  EXPECT_EQ(BranchMapOfFacts({Recorded(3, 44, "/", {{"/a", "wr"}})}).error().message,
            "ckpt-raw.img: entry 3: branch /a has the permission \"wr\", none of rw, ro, rr");
}

}  // namespace
}  // namespace ckpt
