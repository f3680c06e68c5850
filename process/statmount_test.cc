#include "process/statmount.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "process/kernel_features.h"

namespace ckpt {
namespace {

class StatmountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!DetectKernelFeatures().statmount) GTEST_SKIP() << "the kernel has no full statmount(2)";
    namespace_id_ = MountNamespaceId(getpid()).value();
  }

  uint64_t namespace_id_ = 0;
};

TEST_F(StatmountTest, TheMountOfProcIsAmongOurs) {
  const std::vector<uint64_t> ids = ListMounts(namespace_id_).value();
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  const auto is_proc = [&](uint64_t id) {
    const auto mount = StatMount(namespace_id_, id);
    return mount.has_value() && mount.value().fstype == "proc" &&
           mount.value().mountpoint == "/proc" && mount.value().root == "/";
  };
  EXPECT_GE(std::ranges::count_if(ids, is_proc), 1);
}

TEST_F(StatmountTest, AMountThatDoesNotExistIsNotFound) {
  const auto mount = StatMount(namespace_id_, UINT64_MAX - 1);
  ASSERT_TRUE(mount.has_error());
  EXPECT_EQ(mount.error().code, ErrorCode::kNotFound);
}

TEST_F(StatmountTest, ANamespaceThatDoesNotExistIsNotFound) {
  EXPECT_EQ(ListMounts(UINT64_MAX - 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(MountNamespaceId(4194304).error().message,
            "open(\"/proc/4194304/ns/mnt\", 0): No such file or directory (ENOENT)");
}

}  // namespace
}  // namespace ckpt
