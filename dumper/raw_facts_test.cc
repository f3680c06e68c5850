#include "dumper/raw_facts.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

class RawFactsTest : public testing::Test {
 protected:
  RawFactsTest() {
    mapping_.start = 0x400000;
    mapping_.end = 0x401000;
    mapping_.path = "/bin/busybox";
    mapping_.dev_minor = 24;
    mapping_.inode = 14;
    mapped_.file_id = 3;
    mapped_.file.path = "/bin/busybox";
    mapped_.file.mnt_id = 44;
  }
  std::vector<pb::raw_fact_entry> Build(const std::vector<UnionMount>& unions = {}) const {
    return BuildRawFacts(42, 5, {44}, unions, {mapping_}, {mapped_});
  }

  Mapping mapping_;
  MappedFile mapped_;
};

TEST_F(RawFactsTest, AMappingWhosePathsAgreeOnAKnownMountIsNoFact) { EXPECT_TRUE(Build().empty()); }

TEST_F(RawFactsTest, PathsThatDifferAreBothRecorded) {
  mapped_.file.path = "/b2/bin/busybox";
  const auto facts = Build();
  ASSERT_EQ(facts.size(), 1U);
  const pb::raw_mapping& fact = facts[0].mapping();
  EXPECT_EQ(fact.pid(), 42U);
  EXPECT_EQ(fact.reg_file_id(), 3U);
  EXPECT_EQ(fact.map_files_path(), "/b2/bin/busybox");
  EXPECT_EQ(fact.maps_path(), "/bin/busybox");
  EXPECT_EQ(fact.maps_dev(), 24U);
  EXPECT_EQ(fact.maps_ino(), 14U);
}

TEST_F(RawFactsTest, AMountThatTheNamespaceDoesNotHaveIsRecorded) {
  mapped_.file.mnt_id = 14;
  ASSERT_EQ(Build().size(), 1U);
  EXPECT_EQ(Build()[0].mapping().mnt_id(), 14);
}

TEST_F(RawFactsTest, AUnionHasItsBranchesTopFirst) {
  UnionMount mount;
  mount.mnt_id = 44;
  mount.mountpoint = "/";
  mount.fstype = "aufs";
  mount.id = "78be";
  mount.branches = {{"/b0", "rw", {}}, {"/b1", "ro", {"wh"}}};
  const auto facts = Build({mount});
  ASSERT_EQ(facts.size(), 1U);
  const pb::raw_union& fact = facts[0].union_mount();
  EXPECT_EQ(fact.mnt_ns_id(), 5U);
  EXPECT_EQ(fact.id(), "78be");
  ASSERT_EQ(fact.branches_size(), 2);
  EXPECT_EQ(fact.branches(0).path(), "/b0");
  EXPECT_EQ(fact.branches(1).permissions(), "ro+wh");
}

}  // namespace
}  // namespace ckpt
