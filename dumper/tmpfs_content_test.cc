#include "dumper/tmpfs_content.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string Output(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  char buffer[4096];
  for (size_t got = 0; (got = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) {
    text.append(buffer, got);
  }
  EXPECT_EQ(pclose(pipe), 0) << command;
  return text;
}

void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

// What `tar` says of the archive of a tmpfs, and what it makes of it: CRIU reads it with the same.
class TmpfsContentTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can mount";
    ASSERT_EQ(unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(mount("work", "/mnt", "tmpfs", 0, nullptr), 0);
    for (const char* path : {"/mnt/in", "/mnt/out"}) {
      ASSERT_EQ(mkdir(path, 0755), 0);
      ASSERT_EQ(mount("content", path, "tmpfs", 0, "mode=1751"), 0);
    }
  }

  // Archives /mnt/in, and extracts it to /mnt/out.
  static void RoundTrip() {
    const UniqueFd output = OpenFile("/mnt/archive", O_RDWR | O_CREAT | O_TRUNC, 0600).value();
    Result<> archived = success();
    std::thread([&] {
      ASSERT_EQ(unshare(CLONE_FS), 0);
      const UniqueFd mount = OpenBareMount("/mnt/in", MountId()).value();
      archived = ArchiveDirectory(mount.get(), output.get());
    }).join();
    ASSERT_TRUE(archived.has_value()) << archived.error().message;
    Output(
        "tar --extract --gzip --no-unquote --no-wildcards --directory=/mnt/out "
        "--file=/mnt/archive --xattrs --xattrs-include='*'");
  }

  static int32_t MountId() {
    struct statx status {};
    EXPECT_EQ(statx(AT_FDCWD, "/mnt/in", 0, STATX_MNT_ID, &status), 0);
    return static_cast<int32_t>(status.stx_mnt_id);
  }

  static struct stat StatOf(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return status;
  }
};

TEST_F(TmpfsContentTest, AnEmptyOneHasItsDirectory) {
  RoundTrip();
  EXPECT_THAT(Output("tar tvzf /mnt/archive"), StartsWith("drwxr-x--t 0/0 "));
  EXPECT_EQ(Output("tar tzf /mnt/archive"), "./\n");
}

TEST_F(TmpfsContentTest, OwnersModesAndTimesAreKept) {
  Write("/mnt/in/file", "text\n");
  ASSERT_EQ(chown("/mnt/in/file", 1000, 4'000'000), 0);
  ASSERT_EQ(chmod("/mnt/in/file", 06751), 0);
  const timespec times[] = {{1, 0}, {1'100'000'000, 987'654'321}};
  ASSERT_EQ(utimensat(AT_FDCWD, "/mnt/in/file", times, 0), 0);
  RoundTrip();
  const struct stat status = StatOf("/mnt/out/file");
  EXPECT_EQ(status.st_uid, 1000U);
  EXPECT_EQ(status.st_gid, 4'000'000U);
  EXPECT_EQ(status.st_mode, static_cast<mode_t>(S_IFREG | 06751));
  EXPECT_EQ(status.st_mtim.tv_sec, 1'100'000'000);
  EXPECT_EQ(status.st_mtim.tv_nsec, 987'654'321);
  EXPECT_EQ(StatOf("/mnt/out").st_mode, static_cast<mode_t>(S_IFDIR | 01751));
}

TEST_F(TmpfsContentTest, EveryTypeOfFileIsKeptButSockets) {
  ASSERT_EQ(symlink("dangling -> link", "/mnt/in/symbolic"), 0);
  ASSERT_EQ(mkfifo("/mnt/in/fifo", 0600), 0);
  ASSERT_EQ(mknod("/mnt/in/null", S_IFCHR | 0666, makedev(1, 3)), 0);
  ASSERT_EQ(mkdir("/mnt/in/folder", 0710), 0);
  Write("/mnt/in/folder/empty", "");
  const UniqueFd socket_fd(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address = {AF_UNIX, "/mnt/in/socket"};
  ASSERT_EQ(bind(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  RoundTrip();
  EXPECT_EQ(ReadLink("/mnt/out/symbolic").value(), "dangling -> link");
  EXPECT_TRUE(S_ISFIFO(StatOf("/mnt/out/fifo").st_mode));
  EXPECT_EQ(StatOf("/mnt/out/null").st_rdev, makedev(1, 3));
  EXPECT_EQ(StatOf("/mnt/out/folder").st_mode, static_cast<mode_t>(S_IFDIR | 0710));
  EXPECT_THAT(ListDirectory("/mnt/out").value(), ElementsAre("fifo", "folder", "null", "symbolic"));
}

TEST_F(TmpfsContentTest, LinksHolesAndAttributesAreKept) {
  Write("/mnt/in/first", "shared");
  ASSERT_EQ(link("/mnt/in/first", "/mnt/in/second"), 0);
  ASSERT_EQ(setxattr("/mnt/in/first", "trusted.ckpt", "a\0b", 3, 0), 0);
  Write("/mnt/in/holes", "begin");
  ASSERT_EQ(truncate("/mnt/in/holes", 1 << 30), 0);
  RoundTrip();
  EXPECT_EQ(StatOf("/mnt/out/first").st_ino, StatOf("/mnt/out/second").st_ino);
  EXPECT_EQ(ReadWholeFile("/mnt/out/second").value(), "shared");
  char value[8] = {};
  EXPECT_EQ(getxattr("/mnt/out/first", "trusted.ckpt", value, sizeof(value)), 3);
  EXPECT_EQ(std::string(value, 3), std::string("a\0b", 3));
  EXPECT_EQ(StatOf("/mnt/out/holes").st_size, 1 << 30);
  EXPECT_LE(StatOf("/mnt/out/holes").st_blocks, 8);
}

TEST_F(TmpfsContentTest, NamesAreBytes) {
  const std::string name = "line\nspace \\ \xff " + std::string(180, 'x');
  Write("/mnt/in/" + name, "text");
  RoundTrip();
  EXPECT_THAT(ListDirectory("/mnt/out").value(), ElementsAre(name));
}

TEST_F(TmpfsContentTest, WhatIsMountedOnItIsNotInIt) {
  ASSERT_EQ(mkdir("/mnt/in/folder", 0755), 0);
  Write("/mnt/in/folder/hidden", "text");
  ASSERT_EQ(mount("other", "/mnt/in/folder", "tmpfs", 0, nullptr), 0);
  Write("/mnt/in/folder/other", "text");
  RoundTrip();
  EXPECT_THAT(ListDirectory("/mnt/out/folder").value(), ElementsAre("hidden"));
}

TEST_F(TmpfsContentTest, AMountUnderAnotherIsNamed) {
  const int32_t mnt_id = MountId();
  ASSERT_EQ(mount("other", "/mnt/in", "tmpfs", 0, nullptr), 0);
  const auto opened = OpenBareMount("/mnt/in", mnt_id);
  ASSERT_TRUE(opened.has_error());
  EXPECT_EQ(opened.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(opened.error().message,
            fmt::format("mount {} at /mnt/in is covered by mount {}", mnt_id, MountId()));
}

}  // namespace
}  // namespace ckpt
