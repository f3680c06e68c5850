#include "restorer/stub_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
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

bool Exists(pid_t pid) { return kill(pid, 0) == 0 || errno != ESRCH; }

TEST(StubProcessTest, APidInUseIsNamed) {
  const auto stub = StubProcess::Create({.pid = getpid()});
  ASSERT_TRUE(stub.has_error());
  EXPECT_EQ(stub.error().message,
            fmt::format("pid {} is in use: the process cannot have it again", getpid()));
}

TEST(StubProcessTest, TheStubHasThePidAndEndsWithItsObject) {
  const pid_t pid = FreePid();
  {
    auto stub = StubProcess::Create({.pid = pid});
    ASSERT_TRUE(stub.has_value()) << stub.error().message;
    EXPECT_EQ(stub.value().pid(), pid);
    EXPECT_TRUE(Exists(pid));
    EXPECT_EQ(stub.value().leader().GetSignalMask().value() & (1 << (SIGTERM - 1)),
              uint64_t{1} << (SIGTERM - 1));
  }
  EXPECT_FALSE(Exists(pid));
}

TEST(StubProcessTest, TheSignalMaskOfTheCallerIsAsBefore) {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  static_cast<void>(StubProcess::Create({.pid = FreePid()}));
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

TEST(StubProcessTest, ThePreparationRunsInTheChildWithOurDescriptors) {
  const pid_t parent = getpid();
  const pid_t pid = FreePid();
  int opened = -1;
  const int expected = dup(STDIN_FILENO);
  close(expected);
  const auto stub = StubProcess::Create({.pid = pid, .prepare = [&]() -> Result<> {
                                           opened = open("/dev/null", O_RDONLY);
                                           if (getppid() == parent) return success();
                                           return MakeError(ErrorCode::kInternal, "not a child");
                                         }});
  ASSERT_TRUE(stub.has_value()) << stub.error().message;
  EXPECT_EQ(opened, -1);  // its memory is its own
  bool is_open = false;
  for (int fd = expected; fd < expected + 8; ++fd) {
    is_open = is_open || access(fmt::format("/proc/self/fd/{}", fd).c_str(), F_OK) == 0;
    close(fd);
  }
  EXPECT_TRUE(is_open);
}

TEST(StubProcessTest, AFailedPreparationIsTheErrorAndLeavesNoProcess) {
  const pid_t pid = FreePid();
  const auto stub = StubProcess::Create({.pid = pid, .prepare = []() -> Result<> {
                                           return MakeError(ErrorCode::kPermission,
                                                            "mount of /proc: not allowed");
                                         }});
  ASSERT_TRUE(stub.has_error());
  EXPECT_EQ(stub.error().code, ErrorCode::kPermission);
  EXPECT_EQ(stub.error().message, "mount of /proc: not allowed");
  EXPECT_FALSE(Exists(pid));
}

TEST(StubProcessTest, AChildThatEndsWhileItPreparesIsNoticed) {
  const pid_t pid = FreePid();
  const auto stub = StubProcess::Create({.pid = pid, .prepare = []() -> Result<> { _exit(1); }});
  ASSERT_TRUE(stub.has_error());
  EXPECT_EQ(stub.error().code, ErrorCode::kProcessGone);
  EXPECT_EQ(stub.error().message, fmt::format("process {} ended while it was prepared", pid));
}

TEST(StubProcessTest, InAPidNamespaceOfItsOwnTheStubIsTheFirst) {
  const auto stub = StubProcess::Create(
      {.pid = 1, .namespaces = CLONE_NEWPID, .prepare = []() -> Result<> {
         return getpid() == 1 ? success()
                              : Result<>(MakeError(ErrorCode::kInternal, "pid {}", getpid()));
       }});
  ASSERT_TRUE(stub.has_value()) << stub.error().message;
  EXPECT_NE(stub.value().pid(), 1);
}

}  // namespace
}  // namespace ckpt
