#include "restorer/stub_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace ckpt {
namespace {

// A number that was free a moment ago.
pid_t FreePid() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  return child;
}

TEST(StubProcessTest, APidInUseIsNamed) {
  const auto stub = StubProcess::Create(getpid(), {getpid()});
  ASSERT_TRUE(stub.has_error());
  EXPECT_EQ(stub.error().message,
            fmt::format("pid {} is in use: the process cannot have it again", getpid()));
}

TEST(StubProcessTest, AThreadIdInUseIsNamedBeforeAnythingIsMade) {
  const pid_t pid = FreePid();
  const auto stub = StubProcess::Create(pid, {pid, getpid()});
  ASSERT_TRUE(stub.has_error());
  EXPECT_EQ(stub.error().message,
            fmt::format("pid {} is in use: the process cannot have it again", getpid()));
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(StubProcessTest, TheStubHasThePidAndEndsWithItsObject) {
  const pid_t pid = FreePid();
  {
    auto stub = StubProcess::Create(pid, {pid});
    ASSERT_TRUE(stub.has_value()) << stub.error().message;
    EXPECT_EQ(stub.value().pid(), pid);
    EXPECT_EQ(kill(pid, 0), 0);
    EXPECT_EQ(stub.value().leader().GetSignalMask().value() & (1 << (SIGTERM - 1)),
              uint64_t{1} << (SIGTERM - 1));
  }
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(StubProcessTest, TheSignalMaskOfTheCallerIsAsBefore) {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  const pid_t pid = FreePid();
  static_cast<void>(StubProcess::Create(pid, {pid}));
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

}  // namespace
}  // namespace ckpt
