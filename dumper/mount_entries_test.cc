#include "dumper/mount_entries.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

namespace ckpt {
namespace {

TEST(MountEntriesTest, AMountIsWrittenAsMountinfoGivesIt) {
  Mount mount;
  mount.mnt_id = 38;
  mount.parent_mnt_id = 37;
  mount.dev_major = 1;
  mount.dev_minor = 26;
  mount.root = "/";
  mount.mountpoint = "/mnt/u";
  mount.mount_options = "ro,nodev";
  mount.super_options = "rw,si=1";
  mount.fstype = "aufs";
  mount.source = "none";
  mount.master_group = 4;
  const pb::mnt_entry entry = BuildMountEntries({mount}).front();
  EXPECT_EQ(entry.fstype(), uint32_t{pb::AUFS});
  EXPECT_EQ(entry.mnt_id(), 38U);
  EXPECT_EQ(entry.parent_mnt_id(), 37U);
  EXPECT_EQ(entry.root_dev(), 1U << 20 | 26U);
  EXPECT_EQ(entry.flags(), uint32_t{MS_RDONLY | MS_NODEV | MS_SLAVE});
  EXPECT_EQ(entry.sb_flags(), 0U);
  EXPECT_EQ(entry.root(), "/");
  EXPECT_EQ(entry.mountpoint(), "/mnt/u");
  EXPECT_EQ(entry.source(), "none");
  EXPECT_EQ(entry.options(), "si=1");
  EXPECT_EQ(entry.master_id(), 4U);
}

}  // namespace
}  // namespace ckpt
