#include "restorer/tree_plan.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace ckpt {
namespace {

using State = TaskPlan::State;
using testing::ElementsAre;

TaskPlan Task(pid_t pid, pid_t ppid, pid_t pgid, pid_t sid) {
  TaskPlan task;
  task.pid = pid;
  task.ppid = ppid;
  task.pgid = pgid;
  task.sid = sid;
  task.files_id = static_cast<uint32_t>(pid);
  return task;
}

std::string Text(const RestorePlan& plan, const TreeAction& action) {
  const pid_t pid = plan.tasks[action.task].pid;
  if (action.kind == TreeAction::Kind::kLead) return fmt::format("{} leads", pid);
  return fmt::format("{} makes {}{}{}", plan.tasks[action.maker].pid,
                     action.as_sibling ? "its brother " : "", pid,
                     action.shares_descriptors ? " with its descriptors" : "");
}

// What is done, in order; or the findings.
std::vector<std::string> Planned(std::vector<TaskPlan> tasks) {
  RestorePlan plan;
  plan.tasks = std::move(tasks);
  Findings findings;
  PlanTree(plan, findings);
  if (const Result<> result = findings.AsResult(); result.has_error()) {
    return {result.error().message};
  }
  std::vector<std::string> actions;
  for (const TreeAction& action : plan.tree) actions.push_back(Text(plan, action));
  return actions;
}

TEST(TreePlanTest, ChildrenOfALeaderAreMadeInItsSession) {
  EXPECT_THAT(Planned({Task(5, 0, 5, 5), Task(6, 5, 5, 5), Task(7, 6, 7, 5)}),
              ElementsAre("5 leads", "5 makes 6", "6 makes 7"));
}

TEST(TreePlanTest, AMemberOfAnOlderSessionIsMadeBeforeItsParentLeadsItsOwn) {
  EXPECT_THAT(Planned({Task(5, 0, 5, 5), Task(6, 5, 6, 6), Task(7, 6, 5, 5), Task(8, 6, 6, 6)}),
              ElementsAre("5 leads", "5 makes 6", "6 makes 7", "6 leads", "6 makes 8"));
}

TEST(TreePlanTest, LeadersBetweenAMemberAndItsSessionAreBornInIt) {
  EXPECT_THAT(Planned({Task(5, 0, 5, 5), Task(6, 5, 6, 6), Task(7, 6, 7, 7), Task(8, 7, 5, 5)}),
              ElementsAre("5 leads", "5 makes 6", "6 makes 7", "7 makes 8", "7 leads", "6 leads"));
}

TEST(TreePlanTest, AnOrphanIsMadeByTheLeaderThatIsItsBrother) {
  EXPECT_THAT(Planned({Task(1, 0, 1, 1), Task(5, 1, 5, 5), Task(6, 1, 5, 5)}),
              ElementsAre("1 leads", "1 makes 5", "5 leads", "5 makes its brother 6"));
}

TEST(TreePlanTest, AHelperLeadsTheSessionOfADeadLeader) {
  EXPECT_THAT(Planned({Task(1, 0, 1, 1), Task(6, 1, 4, 4), Task(7, 6, 4, 4), Task(8, 1, 4, 4)}),
              ElementsAre("1 leads", "1 makes 4", "4 leads", "4 makes its brother 6", "6 makes 7",
                          "4 makes its brother 8"));
}

TEST(TreePlanTest, AHelperLeadsTheGroupOfADeadLeader) {
  EXPECT_THAT(Planned({Task(5, 0, 5, 5), Task(7, 5, 6, 5), Task(8, 5, 6, 5)}),
              ElementsAre("5 leads", "5 makes 7", "7 makes 6", "5 makes 8"));
}

TEST(TreePlanTest, ASessionFromOutsideIsInherited) {
  EXPECT_THAT(Planned({Task(5, 0, 3, 2), Task(6, 5, 3, 2), Task(7, 5, 7, 7)}),
              ElementsAre("5 makes 6", "5 makes 7", "7 leads"));
}

TEST(TreePlanTest, AnOrphanOfASessionElsewhereIsRefused) {
  EXPECT_THAT(
      Planned({Task(1, 0, 1, 1), Task(5, 1, 5, 5), Task(6, 5, 6, 6), Task(7, 1, 6, 6)}),
      ElementsAre("pstree.img: process 7 is in session 6, whose leader is neither a brother of it "
                  "nor above it, which is not supported"));
}

TEST(TreePlanTest, AGroupLiesInOneSession) {
  EXPECT_THAT(
      Planned({Task(5, 0, 5, 5), Task(6, 5, 6, 6), Task(7, 5, 6, 5)}),
      ElementsAre("pstree.img: process 7 is in group 6 of session 5, but process 6 in group "
                  "6 of session 6"));
}

TEST(TreePlanTest, ParentsComeBeforeTheirChildren) {
  EXPECT_THAT(Planned({Task(5, 0, 5, 5), Task(6, 7, 5, 5), Task(7, 5, 5, 5)}),
              ElementsAre("pstree.img: the parent 7 of process 6 does not come before it"));
}

TEST(TreePlanTest, DescriptorsAreSharedWithTheMaker) {
  std::vector<TaskPlan> tasks = {Task(5, 0, 5, 5), Task(6, 5, 5, 5), Task(7, 5, 5, 5)};
  tasks[1].files_id = 5;
  tasks[2].state = State::kZombie;
  EXPECT_THAT(Planned(tasks),
              ElementsAre("5 leads", "5 makes 6 with its descriptors", "5 makes 7"));
}

TEST(TreePlanTest, DescriptorsSharedWithAnotherThanTheMakerAreRefused) {
  std::vector<TaskPlan> tasks = {Task(5, 0, 5, 5), Task(6, 5, 5, 5), Task(7, 5, 5, 5)};
  tasks[2].files_id = 6;
  EXPECT_THAT(Planned(tasks),
              ElementsAre("ids-7.img: process 7 shares its descriptors with process 6, by which it "
                          "is not made, which is not supported"));
}

}  // namespace
}  // namespace ckpt
