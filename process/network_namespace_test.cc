#include "process/network_namespace.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace ckpt {
namespace {

// A new namespace, or none where this may not be made.
UniqueFd MakeNamespace() {
  UniqueFd fd;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) != 0) return;
    fd = OpenFile("/proc/thread-self/ns/net", O_RDONLY).value();
  }).join();
  return fd;
}

TEST(NetworkNamespaceTest, ASocketBelongsToTheNamespaceThatItWasMadeIn) {
  const UniqueFd space = MakeNamespace();
  if (!space.valid()) GTEST_SKIP() << "unshare(CLONE_NEWNET) is not permitted";
  UniqueFd socket_there;
  ASSERT_TRUE(RunInNetworkNamespace(space.get(), [&]() -> Result<> {
                socket_there = UniqueFd(socket(AF_UNIX, SOCK_STREAM, 0));
                return success();
              }).has_value());
  const UniqueFd socket_here(socket(AF_UNIX, SOCK_STREAM, 0));
  const UniqueFd of_there = NetworkNamespaceOf(socket_there.get()).value();
  const UniqueFd of_here = NetworkNamespaceOf(socket_here.get()).value();
  EXPECT_FALSE(IsOwnNetworkNamespace(of_there.get()).value());
  EXPECT_TRUE(IsOwnNetworkNamespace(of_here.get()).value());
}

TEST(NetworkNamespaceTest, InTheOwnNamespaceNoThreadIsMade) {
  const UniqueFd own = OpenFile("/proc/thread-self/ns/net", O_RDONLY).value();
  pid_t thread = 0;
  ASSERT_TRUE(RunInNetworkNamespace(own.get(), [&]() -> Result<> {
                thread = gettid();
                return success();
              }).has_value());
  EXPECT_EQ(thread, gettid());
}

TEST(NetworkNamespaceTest, AnErrorOfTheBodyIsThatOfTheCall) {
  const UniqueFd own = OpenFile("/proc/thread-self/ns/net", O_RDONLY).value();
  const Result<> outcome = RunInNetworkNamespace(
      own.get(), [] { return Result<>(MakeError(ErrorCode::kSystem, "no socket")); });
  ASSERT_TRUE(outcome.has_error());
  EXPECT_EQ(outcome.error().message, "no socket");
}

}  // namespace
}  // namespace ckpt
