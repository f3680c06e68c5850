#include "restorer/cgroup_plan.h"

#include <gtest/gtest.h>

#include <string>

namespace ckpt {
namespace {

class CgroupPlanTest : public testing::Test {
 protected:
  CgroupPlanTest() {
    pb::cg_controller_entry& controller = *image_.add_controllers();
    controller.add_cnames("pids");
    pb::cgroup_dir_entry& directory = *controller.add_dirs();
    directory.set_dir_name("ct/top");
    pb::cgroup_prop_entry& property = *directory.add_properties();
    property.set_name("pids.max");
    property.set_value("77");
    directory.add_children()->set_dir_name("below");
    AddSet(2, "/ct/top/below");
  }

  void AddSet(uint32_t id, const std::string& path) {
    pb::cg_set_entry& set = *image_.add_sets();
    set.set_id(id);
    pb::cg_member_entry& pids = *set.add_ctls();
    pids.set_name("pids");
    pids.set_path(path);
    pb::cg_member_entry& unified = *set.add_ctls();
    unified.set_name("");
    unified.set_path("/");
  }

  CgroupPlan Plan(const CgroupOptions& options = {}) {
    return PlanCgroups(tasks_, image_, 1, options, findings_);
  }
  std::string Error() const {
    const Result<> result = findings_.AsResult();
    return result.has_error() ? result.error().message : "";
  }

  pb::cgroup_entry image_;
  std::vector<TaskCgroupSets> tasks_ = {{.pid = 7, .threads = {2, 2}}};
  Findings findings_;
};

TEST_F(CgroupPlanTest, GroupsAreMadeFromTheTop) {
  const CgroupPlan plan = Plan();
  EXPECT_EQ(Error(), "");
  EXPECT_EQ(plan.mode, CgroupMode::kSoft);
  EXPECT_EQ(plan.hierarchies, (std::vector<std::string>{"pids", ""}));
  ASSERT_EQ(plan.directories.size(), 2U);
  EXPECT_EQ(plan.directories[0].path, "ct/top");
  EXPECT_EQ(plan.directories[0].properties.front().value, "77");
  EXPECT_EQ(plan.directories[1].path, "ct/top/below");
}

TEST_F(CgroupPlanTest, AProcessJoinsItsGroupsInAllHierarchies) {
  const CgroupPlan plan = Plan();
  EXPECT_EQ(plan.set_of_pid, (std::map<uint32_t, uint32_t>{{7, 2}}));
  const std::vector<CgroupMember>& members = plan.sets.at(2);
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].path, "ct/top/below");
  EXPECT_EQ(members[1].path, "");
}

TEST_F(CgroupPlanTest, AProcessInTheGroupsOfTheDumperStays) {
  tasks_ = {{.pid = 7, .threads = {1}}, {.pid = 8, .threads = {0}}};
  EXPECT_TRUE(Plan().set_of_pid.empty());
  EXPECT_EQ(Error(), "");
}

TEST_F(CgroupPlanTest, NothingIsDoneWhenTheyAreIgnored) {
  const CgroupPlan plan = Plan({.mode = CgroupMode::kIgnore});
  EXPECT_TRUE(plan.directories.empty());
  EXPECT_TRUE(plan.set_of_pid.empty());
}

TEST_F(CgroupPlanTest, AnotherRootTakesThePlaceOfTheTopmostGroup) {
  CgroupOptions options;
  ASSERT_TRUE(AddCgroupRoot("pids:/new/root/", options).has_value());
  const CgroupPlan plan = Plan(options);
  EXPECT_EQ(plan.directories[0].path, "new/root");
  EXPECT_EQ(plan.directories[1].path, "new/root/below");
  EXPECT_EQ(plan.sets.at(2)[0].path, "new/root/below");
}

TEST_F(CgroupPlanTest, ARootWithoutControllerIsForAllOthers) {
  CgroupOptions options;
  ASSERT_TRUE(AddCgroupRoot("/new", options).has_value());
  ASSERT_TRUE(AddCgroupRoot("pids:/own", options).has_value());
  EXPECT_EQ(options.roots, (std::map<std::string, std::string>{{"", "new"}, {"pids", "own"}}));
  EXPECT_EQ(Plan(options).directories[0].path, "own");
}

TEST_F(CgroupPlanTest, ASetThatIsNotThereIsNamed) {
  tasks_ = {{.pid = 7, .threads = {5}}};
  Plan();
  EXPECT_EQ(Error(), "core-7.img: cg_set 5 is not in cgroup.img");
}

TEST_F(CgroupPlanTest, ThreadsInSeveralSetsAreRefused) {
  tasks_ = {{.pid = 7, .threads = {2, 1}}};
  Plan();
  EXPECT_EQ(Error(),
            "core-7.img: its threads are in several sets of control groups (2 and 1), which is not "
            "supported");
}

TEST_F(CgroupPlanTest, AGroupOutsideOfACgroupNamespaceIsRefused) {
  AddSet(3, "/../host");
  Plan();
  EXPECT_EQ(Error(), "cgroup.img: group ../host lies outside of a cgroup namespace");
}

TEST(CgroupModeTest, AllModesHaveNames) {
  EXPECT_EQ(ParseCgroupMode("").value(), CgroupMode::kSoft);
  EXPECT_EQ(ParseCgroupMode("ignore").value(), CgroupMode::kIgnore);
  EXPECT_EQ(ParseCgroupMode("none").value(), CgroupMode::kNone);
  EXPECT_EQ(ParseCgroupMode("props").value(), CgroupMode::kProps);
  EXPECT_EQ(ParseCgroupMode("soft").value(), CgroupMode::kSoft);
  EXPECT_EQ(ParseCgroupMode("full").value(), CgroupMode::kFull);
  EXPECT_EQ(ParseCgroupMode("strict").value(), CgroupMode::kStrict);
  EXPECT_EQ(ParseCgroupMode("hard").error().message,
            "--manage-cgroups=hard: not one of ignore, none, props, soft, full, strict");
}

TEST(CgroupModeTest, ARootIsAnAbsolutePath) {
  CgroupOptions options;
  EXPECT_EQ(AddCgroupRoot("new", options).error().message,
            "--cgroup-root new: not of the form [CONTROLLER:]/PATH");
  EXPECT_EQ(AddCgroupRoot("pids/x", options).error().message,
            "--cgroup-root pids/x: not of the form [CONTROLLER:]/PATH");
}

}  // namespace
}  // namespace ckpt
