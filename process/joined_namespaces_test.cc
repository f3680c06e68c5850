#include "process/joined_namespaces.h"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "process/child_for_test.h"

namespace ckpt {
namespace {

std::string HostName() {
  utsname names = {};
  uname(&names);
  return names.nodename;
}

TEST(JoinedNamespaces, TheWorkSeesThoseOfTheProcessAndTheCallerItsOwn) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make namespaces";
  const ChildForTest child([](const auto& ready) {
    if (unshare(CLONE_NEWUTS) != 0 || sethostname("another", 7) != 0) return 1;
    ready();
    return pause();
  });
  const std::string before = HostName();
  std::string inside;
  ASSERT_TRUE(RunInNamespacesOf(child.pid(), CLONE_NEWUTS, [&]() -> Result<> {
                inside = HostName();
                return success();
              }).has_value());
  EXPECT_EQ(inside, "another");
  EXPECT_EQ(HostName(), before);
}

TEST(JoinedNamespaces, TheErrorOfTheWorkIsTheError) {
  const Result<> outcome = RunInNamespacesOf(
      getpid(), 0, []() -> Result<> { return MakeError(ErrorCode::kSystem, "told"); });
  ASSERT_TRUE(outcome.has_error());
  EXPECT_EQ(outcome.error().message, "told");
}

TEST(JoinedNamespaces, AProcessThatIsGoneIsNamed) {
  const Result<> outcome =
      RunInNamespacesOf(4'000'000, CLONE_NEWUTS, []() -> Result<> { return success(); });
  ASSERT_TRUE(outcome.has_error());
  EXPECT_THAT(outcome.error().message, testing::HasSubstr("pidfd_open(4000000)"));
}

}  // namespace
}  // namespace ckpt
