#include "restorer/process_groups.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace ckpt {
namespace {

TaskPlan Task(pid_t pid, pid_t pgid, pid_t sid) {
  TaskPlan task;
  task.pid = pid;
  task.pgid = pgid;
  task.sid = sid;
  return task;
}

std::string ErrorOf(const TaskPlan& root, bool is_shell_job = false) {
  RestorePlan plan;
  plan.tasks = {root};
  const Result<> checked = CheckSessions(plan, is_shell_job);
  return checked.has_error() ? checked.error().message : "";
}

TEST(CheckSessionsTest, ALeaderMakesItsSession) { EXPECT_EQ(ErrorOf(Task(42, 42, 42)), ""); }

TEST(CheckSessionsTest, TheRestorersSessionCanBeJoined) {
  EXPECT_EQ(ErrorOf(Task(42, 42, getsid(0))), "");
}

TEST(CheckSessionsTest, NobodyElsesSessionCanButThatOfAShellJob) {
  const pid_t other = getsid(0) + 1;
  EXPECT_EQ(ErrorOf(Task(42, 42, other)),
            fmt::format("pstree.img: process 42 is in session {}, whose leader is not in the dump, "
                        "and the restorer is in session {} (--shell-job takes that)",
                        other, getsid(0)));
  EXPECT_EQ(ErrorOf(Task(42, 42, other), true), "");
}

TEST(CheckSessionsTest, ALeaderIsInItsOwnGroup) {
  EXPECT_EQ(ErrorOf(Task(42, 7, 42)),
            "pstree.img: process 42 leads a session, but is in the process group 7");
}

TEST(ShellJobTest, TheSessionAndTheGroupFromOutsideHaveNoNumbersAnyMore) {
  RestorePlan plan;
  plan.tasks = {Task(5, 3, 2), Task(6, 3, 2), Task(7, 7, 2), Task(8, 8, 8)};
  TakeOverOutsideSession(plan);
  EXPECT_EQ(plan.tasks[0].sid, 0);
  EXPECT_EQ(plan.tasks[0].pgid, 0);
  EXPECT_EQ(plan.tasks[1].pgid, 0);
  EXPECT_EQ(plan.tasks[2].sid, 0);
  EXPECT_EQ(plan.tasks[2].pgid, 7);
  EXPECT_EQ(plan.tasks[3].sid, 8);
}

TEST(ShellJobTest, AGroupOfItsOwnIsKept) {
  RestorePlan plan;
  plan.tasks = {Task(5, 5, 2), Task(6, 5, 2)};
  TakeOverOutsideSession(plan);
  EXPECT_EQ(plan.tasks[0].sid, 0);
  EXPECT_EQ(plan.tasks[0].pgid, 5);
  EXPECT_EQ(plan.tasks[1].pgid, 5);
}

TEST(ShellJobTest, ALeaderOfASessionIsNone) {
  RestorePlan plan;
  plan.tasks = {Task(5, 5, 5)};
  TakeOverOutsideSession(plan);
  EXPECT_EQ(plan.tasks[0].sid, 5);
}

}  // namespace
}  // namespace ckpt
