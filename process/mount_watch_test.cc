#include "process/mount_watch.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

namespace ckpt {
namespace {

class MountWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can mount";
    ASSERT_EQ(unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  }
};

TEST_F(MountWatchTest, NothingHasChangedAtFirst) {
  MountWatch watch = MountWatch::Open(getpid()).value();
  EXPECT_FALSE(watch.HaveChanged().value());
}

TEST_F(MountWatchTest, AMountIsAChangeOnce) {
  MountWatch watch = MountWatch::Open(getpid()).value();
  ASSERT_EQ(mount("new", "/tmp", "tmpfs", 0, nullptr), 0);
  EXPECT_TRUE(watch.HaveChanged().value());
  EXPECT_FALSE(watch.HaveChanged().value());
}

TEST_F(MountWatchTest, OtherFlagsAreAChange) {
  ASSERT_EQ(mount("new", "/tmp", "tmpfs", 0, nullptr), 0);
  MountWatch watch = MountWatch::Open(getpid()).value();
  ASSERT_EQ(mount("", "/tmp", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0);
  EXPECT_TRUE(watch.HaveChanged().value());
}

}  // namespace
}  // namespace ckpt
