#include "process/mountinfo.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>

#include "process/child_for_test.h"

namespace ckpt {
namespace {

TEST(MountinfoTest, ALineFillsTheStruct) {
  const auto mounts = ParseMountinfo(
      "36 35 98:4294967295 /mnt1 /mnt2 rw,noatime shared:3 master:1 propagate_from:2 unbindable - "
      "ext4 /dev/root rw,errors=continue\n");
  ASSERT_TRUE(mounts.has_value()) << mounts.error().message;
  EXPECT_EQ(mounts.value(), (std::vector<Mount>{{
                                .mnt_id = 36,
                                .parent_mnt_id = 35,
                                .dev_major = 98,
                                .dev_minor = 4294967295,
                                .root = "/mnt1",
                                .mountpoint = "/mnt2",
                                .mount_options = "rw,noatime",
                                .shared_group = 3,
                                .master_group = 1,
                                .propagate_from = 2,
                                .unbindable = true,
                                .fstype = "ext4",
                                .source = "/dev/root",
                                .super_options = "rw,errors=continue",
                            }}));
}

TEST(MountinfoTest, NamesAreUnescapedAndOptionsAreNot) {
  const Mount mount = ParseMountinfo(
                          "1 0 0:26 /a\\134b /sp\\040ace\\012line - odd rw - fuse.x\\043y "
                          "so\\011urce rw,lowerdir=/a\\054b:/c\\134:d\n")
                          .value()
                          .at(0);
  EXPECT_EQ(mount.root, "/a\\b");
  EXPECT_EQ(mount.mountpoint, "/sp ace\nline");
  EXPECT_EQ(mount.super_options, "rw,lowerdir=/a\\054b:/c\\134:d");
}

TEST(MountinfoTest, AHyphenIsNoEndBeforeTheOptionalFields) {
  const Mount mount = ParseMountinfo("1 0 0:26 / - rw new_field:1 - tmpfs none rw\n").value().at(0);
  EXPECT_EQ(mount.mountpoint, "-");
  EXPECT_EQ(mount.fstype, "tmpfs");
}

TEST(MountinfoTest, ASourceMayBeEmpty) {
  const Mount mount = ParseMountinfo("1 0 0:26 / /x rw - tmpfs  rw,size=4k\n").value().at(0);
  EXPECT_EQ(mount.source, "");
  EXPECT_EQ(mount.super_options, "rw,size=4k");
}

TEST(MountinfoTest, LinesOfAnyLengthAreRead) {
  const std::string options = "rw,lowerdir=" + std::string(100000, 'l');
  EXPECT_EQ(ParseMountinfo("1 0 0:1 / / rw - overlay o " + options).value().at(0).super_options,
            options);
}

TEST(MountinfoTest, ALineThatIsNoneIsNamed) {
  EXPECT_EQ(ParseMountinfo("1 0 0:26 / / rw - tmpfs none rw\n1 0 0-26 /\n").error().message,
            "line 2: found \"1 0 0-26 /\", expected \"id parent major:minor root mountpoint "
            "options [fields] - fstype source options\"");
  for (const char* line :
       {"\n", "x 0 0:1 / / rw - t n rw", "1 0 0:1 / / rw t n rw", "1 0 0:1 / / rw - t n",
        "1 0 0:1 / / rw shared:x - t n rw", "4294967296 0 0:1 / / rw - t n rw"}) {
    EXPECT_TRUE(ParseMountinfo(line).has_error()) << line;
  }
}

// What the children of the live tests do: a mount namespace of their own, private, with a tmpfs
// whose content ends with it.
constexpr char kBase[] = "/tmp";

bool EnterOwnMounts() {
  return unshare(CLONE_NEWNS) == 0 &&
         mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("odd source\n", kBase, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=700") == 0;
}

std::string InBase(const std::string& name) {
  std::string path = std::string(kBase) + "/" + name;
  mkdir(path.c_str(), 0700);
  return path;
}

// Layers whose names hold all that needs an escape in one place or another.
bool MountOddOverlay() {
  for (const char* layer : {"up per", "wo,rk", "lo:w\\er\n", "second"}) InBase(layer);
  const std::string target = InBase("mer ged\\,:\n\t#\xff");
  return mount("over lay", target.c_str(), "overlay", MS_NOEXEC | MS_NOATIME,
               "lowerdir=/tmp/lo\\:w\\\\er\n:/tmp/second,upperdir=/tmp/up "
               "per,workdir=/tmp/wo\\,rk") == 0;
}

bool MountVariants() {
  const std::string shared = InBase("shared");
  const std::string read_only = InBase("read-only");
  const std::string unbindable = InBase("unbindable");
  const std::string gone = InBase("gone");
  const bool mounted =
      mount("", shared.c_str(), "tmpfs", MS_STRICTATIME | MS_SYNCHRONOUS, nullptr) == 0 &&
      mount(nullptr, shared.c_str(), nullptr, MS_SHARED, nullptr) == 0 &&
      mount("t", read_only.c_str(), "tmpfs", MS_RDONLY | MS_NODIRATIME | MS_LAZYTIME, nullptr) ==
          0 &&
      mount("t", unbindable.c_str(), "tmpfs", 0, nullptr) == 0 &&
      mount(nullptr, unbindable.c_str(), nullptr, MS_UNBINDABLE, nullptr) == 0 &&
      mount(gone.c_str(), InBase("bound").c_str(), nullptr, MS_BIND, nullptr) == 0 &&
      mount(nullptr, InBase("bound").c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) ==
          0;
  return rmdir(gone.c_str()) == 0 && mounted;
}

int ReadyIf(bool good, const std::function<void()>& ready) {
  if (!good) return 1;
  ready();
  while (true) pause();
}

const Mount* FindAt(const std::vector<Mount>& mounts, const std::string& mountpoint) {
  const auto found = std::ranges::find(mounts, mountpoint, &Mount::mountpoint);
  return found == mounts.end() ? nullptr : &*found;
}

enum class Statmount { kAnswers, kDoesNotApply };

// Where the tests themselves run in a chroot, their children do, too, and statmount's paths would
// start elsewhere than the text's.
bool RunsInAChroot() {
  struct stat own {};
  struct stat of_init {};
  return stat("/", &own) == 0 && stat("/proc/1/root/", &of_init) == 0 &&
         (own.st_dev != of_init.st_dev || own.st_ino != of_init.st_ino);
}

void ExpectSameBothWays(pid_t pid, Statmount expected) {
  const auto text = ReadMounts(pid, FallbackKernelFeatures());
  const auto read = ReadMounts(pid, {.statmount = true});
  ASSERT_TRUE(text.has_value()) << text.error().message;
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read.value(), text.value());
  if (!DetectKernelFeatures().statmount || RunsInAChroot()) return;
  const auto query = QueryMounts(pid);
  ASSERT_TRUE(query.has_value()) << query.error().message;
  EXPECT_EQ(query.value().has_value(), expected == Statmount::kAnswers);
}

TEST(LiveMountinfoTest, OurOwnMountsAreTheSameBothWays) {
  ExpectSameBothWays(getpid(), Statmount::kAnswers);
}

TEST(LiveMountinfoTest, AnOverlayOfOddNamesIsTheSameBothWays) {
  const ChildForTest child(
      [](const auto& ready) { return ReadyIf(EnterOwnMounts() && MountOddOverlay(), ready); });
  ExpectSameBothWays(child.pid(), Statmount::kAnswers);
  const std::vector<Mount> mounts = ReadMounts(child.pid(), FallbackKernelFeatures()).value();
  const Mount* overlay = FindAt(mounts, "/tmp/mer ged\\,:\n\t#\xff");
  ASSERT_NE(overlay, nullptr);
  EXPECT_EQ(overlay->fstype, "overlay");
  EXPECT_EQ(overlay->source, "over lay");
  EXPECT_EQ(overlay->mount_options, "rw,noexec,noatime");
  EXPECT_NE(overlay->super_options.find("upperdir=/tmp/up\\040per"), std::string::npos)
      << overlay->super_options;
  EXPECT_EQ(FindAt(mounts, "/tmp")->source, "odd source\n");
}

TEST(LiveMountinfoTest, FlagsPropagationAndDeletedRootsAreTheSameBothWays) {
  const ChildForTest child(
      [](const auto& ready) { return ReadyIf(EnterOwnMounts() && MountVariants(), ready); });
  ExpectSameBothWays(child.pid(), Statmount::kAnswers);
  const std::vector<Mount> mounts = ReadMounts(child.pid(), {.statmount = true}).value();
  EXPECT_EQ(FindAt(mounts, "/tmp/bound")->root, "/gone//deleted");
  EXPECT_NE(FindAt(mounts, "/tmp/shared")->shared_group, 0U);
  EXPECT_EQ(FindAt(mounts, "/tmp/shared")->mount_options, "rw");
  EXPECT_TRUE(FindAt(mounts, "/tmp/shared")->super_options.starts_with("rw,sync"));
  EXPECT_EQ(FindAt(mounts, "/tmp/read-only")->mount_options, "ro,nodiratime,relatime");
  EXPECT_TRUE(FindAt(mounts, "/tmp/unbindable")->unbindable);
}

bool MountSlave() {
  const std::string slave = InBase("slave");
  return mount("/tmp/shared", slave.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
         mount(nullptr, slave.c_str(), nullptr, MS_SLAVE, nullptr) == 0;
}

TEST(LiveMountinfoTest, SlavesOfAnotherNamespaceAreTheSameBothWays) {
  const ChildForTest child([](const auto& ready) {
    return ReadyIf(EnterOwnMounts() && MountVariants() && MountSlave(), ready);
  });
  ExpectSameBothWays(child.pid(), Statmount::kDoesNotApply);
  const std::vector<Mount> mounts = ReadMounts(child.pid(), {.statmount = true}).value();
  EXPECT_EQ(FindAt(mounts, "/tmp/slave")->master_group,
            FindAt(mounts, "/tmp/shared")->shared_group);
}

TEST(LiveMountinfoTest, AChangedRootIsTheSameBothWays) {
  const ChildForTest child([](const auto& ready) {
    const bool mounted = EnterOwnMounts() && MountVariants();
    return ReadyIf(mounted && chroot(kBase) == 0, ready);
  });
  ExpectSameBothWays(child.pid(), Statmount::kDoesNotApply);
  const std::vector<Mount> mounts = ReadMounts(child.pid(), {.statmount = true}).value();
  EXPECT_NE(FindAt(mounts, "/shared"), nullptr);
  EXPECT_EQ(FindAt(mounts, "/proc"), nullptr);
}

TEST(LiveMountinfoTest, AMissingProcessIsNotFoundBothWays) {
  EXPECT_EQ(ReadMounts(4194304, FallbackKernelFeatures()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ReadMounts(4194304, {.statmount = true}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
