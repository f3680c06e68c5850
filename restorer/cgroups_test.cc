#include "restorer/cgroups.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

TEST(CgroupsTest, TheRestorersOwnGroupsAreByHierarchy) {
  EXPECT_EQ(ParseOwnGroups("9:name=systemd:/x\n8:cpu,cpuacct:/a:b/c\n0::/\n"),
            (std::map<std::string, std::string>{
                {"name=systemd", "x"}, {"cpu,cpuacct", "a:b/c"}, {"", ""}}));
}

TEST(CgroupsTest, WithoutProcessesInGroupsNothingIsMade) {
  CgroupPlan plan;
  plan.mode = CgroupMode::kFull;
  plan.hierarchies = {"pids"};
  plan.directories.emplace_back().path = "not/made";
  Log log;
  const Result<Cgroups> cgroups = Cgroups::Make(plan, log);
  ASSERT_TRUE(cgroups.has_value()) << cgroups.error().message;
  EXPECT_TRUE(cgroups.value().Join(1, 1).has_value());
}

TEST(CgroupsTest, AHierarchyThatIsNotHereIsPassedOver) {
  CgroupPlan plan;
  plan.mode = CgroupMode::kFull;
  plan.hierarchies = {"no-such-controller"};
  plan.directories.emplace_back().path = "not/made";
  plan.sets[2] = {{.hierarchy = 0, .path = "not/made"}};
  plan.set_of_pid[7] = 2;
  Log log;
  const Result<Cgroups> cgroups = Cgroups::Make(plan, log);
  ASSERT_TRUE(cgroups.has_value()) << cgroups.error().message;
  EXPECT_TRUE(cgroups.value().Join(7, 1).has_value());
}

}  // namespace
}  // namespace ckpt
