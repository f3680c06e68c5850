#include "formats/mount_options.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

namespace ckpt {
namespace {

TEST(MountOptionsTest, OptionsAreFlagsWhereTheyHaveOneAndTextOtherwise) {
  const SplitOptions split =
      SplitMountOptions("rw,nosuid,relatime,lowerdir=/a:/b\\054c,si=78be709e5fa7cad8,dio");
  EXPECT_EQ(split.flags, uint32_t{MS_NOSUID | MS_RELATIME});
  EXPECT_EQ(split.rest, "lowerdir=/a:/b\\054c,si=78be709e5fa7cad8,dio");
  EXPECT_EQ(SplitMountOptions("ro").flags, uint32_t{MS_RDONLY});
  EXPECT_EQ(SplitMountOptions("").flags, 0U);
}

TEST(MountOptionsTest, AFilesystemThatTheFormatDoesNotKnowIsUnsupported) {
  EXPECT_EQ(FstypeOf("overlay"), pb::OVERLAYFS);
  EXPECT_EQ(FstypeOf("fuse.fuse-overlayfs"), pb::FUSE);
  EXPECT_EQ(FstypeOf("aufs"), pb::AUFS);
  EXPECT_EQ(FstypeOf("xfs"), pb::UNSUPPORTED);
  EXPECT_EQ(FstypeOf("ext4"), pb::UNSUPPORTED);
}

}  // namespace
}  // namespace ckpt
