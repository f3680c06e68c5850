#include "dumper/sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Findings(const std::vector<SessionMember>& tasks, bool shell_job = false) {
  Refusals refusals;
  refusals.SetRoot(tasks.front().pid);
  // Of those outside, only 50 and below live.
  CheckSessions(
      tasks, shell_job, [](pid_t pid) { return pid <= 50; }, refusals);
  return refusals.findings();
}

TEST(SessionsTest, ATreeOfItsOwnSessionsAndGroupsIsFine) {
  EXPECT_THAT(Findings({{100, 100, 100}, {101, 100, 100}, {102, 102, 102}, {103, 102, 103}}),
              IsEmpty());
}

TEST(SessionsTest, LeadersThatHaveEndedAreFine) {
  EXPECT_THAT(Findings({{100, 100, 100}, {103, 102, 102}, {104, 100, 101}}), IsEmpty());
}

TEST(SessionsTest, ARootInTheSessionOfAShellNeedsTheOption) {
  EXPECT_THAT(Findings({{100, 40, 100}, {101, 40, 100}}),
              ElementsAre("it is in session 40, whose leader is outside the tree (see --shell-job)",
                          "process 101: it is in session 40, whose leader is outside the tree (see "
                          "--shell-job)"));
  EXPECT_THAT(Findings({{100, 40, 100}, {101, 40, 100}}, true), IsEmpty());
  EXPECT_THAT(Findings({{100, 40, 45}, {101, 40, 45}}, true), IsEmpty());
}

TEST(SessionsTest, ARootWhoseSessionHasLostItsLeaderNeedsTheOptionToo) {
  EXPECT_EQ(Findings({{100, 60, 100}}).size(), 1U);
  EXPECT_THAT(Findings({{100, 60, 100}}, true), IsEmpty());
}

TEST(SessionsTest, AnotherSessionOutsideIsRefusedInAShellJobToo) {
  EXPECT_THAT(Findings({{100, 40, 100}, {101, 41, 42}}, true),
              ElementsAre("process 101: it is in session 41, whose leader is outside the tree",
                          "process 101: it is in process group 42, whose leader is outside the "
                          "tree"));
}

TEST(SessionsTest, ASessionThatItsPidNamespaceDoesNotHaveIsRefused) {
  EXPECT_THAT(Findings({{100, 40, 40, false}}, true),
              ElementsAre("its session or process group is not of its PID namespace"));
}

}  // namespace
}  // namespace ckpt
