#include "imgtool/mountinfo_line.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

TEST(MountinfoLine, IsTakenApart) {
  const MountLine line =
      ParseMountLine(
          "38 37 0:26 /sub /mnt/a\\040b rw,relatime shared:4 master:2 - aufs none "
          "rw,si=78be,br:/t/sp\\040ace=ro\n")
          .value();
  EXPECT_EQ(line.mnt_id, 38U);
  EXPECT_EQ(line.device, 26U);
  EXPECT_EQ(line.root, "/sub");
  EXPECT_EQ(line.mountpoint, "/mnt/a b");
  EXPECT_EQ(line.fstype, "aufs");
  EXPECT_EQ(line.source, "none");
  EXPECT_EQ(line.options, "rw,si=78be,br:/t/sp\\040ace=ro");
}

TEST(MountinfoLine, HasItsDeviceInTheKernelsEncoding) {
  EXPECT_EQ(ParseMountLine("1 0 254:3 / / rw - ext4 /dev/root rw").value().device, 254U << 20 | 3U);
}

TEST(MountinfoLine, MayHaveAnEmptySource) {
  EXPECT_EQ(ParseMountLine("1 0 0:3 / / rw - aufs  rw,si=1").value().source, "");
}

TEST(MountinfoLine, OfMountsHasNoIdAndNoDevice) {
  const MountLine line =
      ParseMountLine("none /var/lib/docker/aufs/mnt/4f aufs rw,si=1f,dio 0 0").value();
  EXPECT_EQ(line.mnt_id, std::nullopt);
  EXPECT_EQ(line.mountpoint, "/var/lib/docker/aufs/mnt/4f");
  EXPECT_EQ(line.fstype, "aufs");
  EXPECT_EQ(line.options, "rw,si=1f,dio");
}

TEST(MountinfoLine, IsToldFromOtherText) {
  EXPECT_TRUE(IsMountinfoLine("38 37 0:26 / / rw,relatime - aufs none rw,si=78be"));
  EXPECT_FALSE(IsMountinfoLine("none / aufs rw 0 0"));
  EXPECT_TRUE(IsMountsLine("none / aufs rw 0 0"));
  EXPECT_FALSE(IsMountsLine("br:/a=rw:/b=ro"));
  EXPECT_FALSE(IsMountinfoLine("(00.1) a - b"));
}

TEST(MountinfoLine, SaysWhatIsWrongWithALine) {
  EXPECT_EQ(ParseMountLine("x 37 0:26 / / rw - aufs none rw").error().message,
            "\"x 37 0:26 / / rw - aufs none rw\": a mount id expected in front");
  EXPECT_EQ(ParseMountLine("3 37 026 / / rw - aufs none rw").error().message,
            "\"3 37 026 / / rw - aufs none rw\": a device MAJOR:MINOR expected as third field");
  EXPECT_EQ(ParseMountLine("3 37 0:26 / - aufs none rw").error().message,
            "\"3 37 0:26 / - aufs none rw\": 6 or more fields expected in front of \" - \"");
  EXPECT_EQ(ParseMountLine("3 37 0:26 / / rw - aufs").error().message,
            "\"3 37 0:26 / / rw - aufs\": type, source and options expected behind \" - \"");
  EXPECT_EQ(ParseMountLine("nonsense").error().message,
            "\"nonsense\": neither a line of mountinfo nor one of /proc/mounts");
}

}  // namespace
}  // namespace ckpt
