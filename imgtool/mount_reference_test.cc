#include "imgtool/mount_reference.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "formats/proto/mounts.pb.h"

namespace ckpt {
namespace {

TEST(MountReference, OfALineIsWhatTheLineSays) {
  const MountReference reference =
      FindMountReference(
          "46 44 254:1 /etc/hosts /etc/hosts rw,relatime - ext4 /dev/root "
          "rw,lazytime,errors=continue")
          .value();
  EXPECT_EQ(reference.device, 254U << 20 | 1U);
  EXPECT_EQ(reference.fstype, uint32_t{pb::UNSUPPORTED});
  EXPECT_EQ(reference.source, "/dev/root");
  EXPECT_EQ(reference.options, "errors=continue");
}

TEST(MountReference, OfAFileIsThatOfItsMount) {
  const MountReference reference = FindMountReference("/proc/version").value();
  struct stat status {};
  ASSERT_EQ(stat("/proc/version", &status), 0);
  EXPECT_EQ(reference.device, major(status.st_dev) << 20 | minor(status.st_dev));
  EXPECT_EQ(reference.fstype, uint32_t{pb::PROC});
}

TEST(MountReference, NeedsAFileThatIsThereOrALineWithADevice) {
  EXPECT_EQ(FindMountReference("/no/such/file").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(FindMountReference("none / aufs rw 0 0").error().message,
            "a line of /proc/mounts has no device; give one of mountinfo, or a file");
}

}  // namespace
}  // namespace ckpt
