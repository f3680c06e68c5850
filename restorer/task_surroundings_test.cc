#include "restorer/task_surroundings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace ckpt {
namespace {

std::string ErrorOf(pid_t pid, pid_t pgid, pid_t sid) {
  TaskPlan plan;
  plan.pid = pid;
  plan.pgid = pgid;
  plan.sid = sid;
  const Result<> checked = CheckSession(plan);
  return checked.has_error() ? checked.error().message : "";
}

TEST(CheckSessionTest, ALeaderMakesItsSession) { EXPECT_EQ(ErrorOf(42, 42, 42), ""); }

TEST(CheckSessionTest, TheRestorersSessionCanBeJoined) {
  EXPECT_EQ(ErrorOf(42, 42, getsid(0)), "");
}

TEST(CheckSessionTest, NobodyElsesSessionCan) {
  const pid_t other = getsid(0) + 1;
  EXPECT_EQ(ErrorOf(42, 42, other),
            fmt::format("pstree.img: process 42 is in session {}, whose leader is not in the dump, "
                        "and the restorer is in session {}",
                        other, getsid(0)));
}

TEST(CheckSessionTest, ALeaderIsInItsOwnGroup) {
  EXPECT_EQ(ErrorOf(42, 7, 42),
            "pstree.img: process 42 leads a session, but is in the process group 7");
}

}  // namespace
}  // namespace ckpt
