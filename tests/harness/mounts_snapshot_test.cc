#include "tests/harness/mounts_snapshot.h"

#include <gmock/gmock.h>

namespace ckpt {
namespace {

constexpr char kBefore[] =
    "40 20 254:0 /rootfs / rw - ext4 /dev/vda rw\n"
    "43 41 0:30 / /tmp rw shared:7 - tmpfs tmpfs rw\n"
    "41 40 0:31 / /dev rw master:7 - tmpfs tmpfs rw\n";

TEST(MountsSnapshot, NumbersOfTheKernelDoNotShow) {
  const char* after =
      "140 120 254:0 /rootfs / rw - ext4 /dev/vda rw\n"
      "141 140 0:40 / /dev rw master:2 - tmpfs tmpfs rw\n"
      "143 141 0:41 / /tmp rw shared:2 - tmpfs tmpfs rw\n";
  EXPECT_EQ(NormaliseMountinfo(kBefore).value(), NormaliseMountinfo(after).value());
}

TEST(MountsSnapshot, EveryFactHasItsPlace) {
  EXPECT_EQ(NormaliseMountinfo(kBefore).value(),
            "mount 1 4 254:0 /rootfs / rw - ext4 /dev/vda rw\n"
            "mount 2 1 device 1 / /dev rw master:1 - tmpfs tmpfs rw\n"
            "mount 3 2 device 2 / /tmp rw shared:1 - tmpfs tmpfs rw\n");
}

TEST(MountsSnapshot, AnotherPeerGroupIsSeen) {
  const char* after =
      "40 20 254:0 /rootfs / rw - ext4 /dev/vda rw\n"
      "43 41 0:30 / /tmp rw shared:7 - tmpfs tmpfs rw\n"
      "41 40 0:31 / /dev rw master:8 - tmpfs tmpfs rw\n";
  EXPECT_NE(NormaliseMountinfo(kBefore).value(), NormaliseMountinfo(after).value());
}

}  // namespace
}  // namespace ckpt
