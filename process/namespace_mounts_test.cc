#include "process/namespace_mounts.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "process/child_for_test.h"

namespace ckpt {
namespace {

class NamespaceMountsTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can mount";
    if (GetParam()) features_ = DetectKernelFeatures();
  }

  // The mountpoints of a namespace in which a process with another root has a tmpfs at /tmp, its
  // root in that, and another tmpfs in its root.
  std::vector<std::string> Mountpoints() const {
    const ChildForTest child([](const auto& ready) {
      const bool made = unshare(CLONE_NEWNS) == 0 &&
                        mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                        mount("outer", "/tmp", "tmpfs", 0, nullptr) == 0 &&
                        mkdir("/tmp/root", 0755) == 0 && mkdir("/tmp/root/in", 0755) == 0 &&
                        mount("inner", "/tmp/root/in", "tmpfs", 0, nullptr) == 0 &&
                        chroot("/tmp/root") == 0 && chdir("/") == 0;
      if (!made) return 1;
      ready();
      return pause();
    });
    const auto mounts = ReadNamespaceMounts(child.pid(), features_);
    if (mounts.has_error()) return {mounts.error().message};
    std::vector<std::string> mountpoints;
    for (const Mount& mount : mounts.value()) mountpoints.push_back(mount.mountpoint);
    return mountpoints;
  }

  KernelFeatures features_ = FallbackKernelFeatures();
};

TEST_P(NamespaceMountsTest, TheRootDirectoryOfAProcessHidesNone) {
  const std::vector<std::string> found = Mountpoints();
  for (const char* mountpoint : {"/", "/tmp", "/tmp/root/in"}) {
    EXPECT_EQ(std::ranges::count(found, mountpoint), 1) << testing::PrintToString(found);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, NamespaceMountsTest, testing::Bool());

}  // namespace
}  // namespace ckpt
