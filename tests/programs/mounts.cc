// The mounts of a container as tests/harness/container.h has them, those that propagate included,
// and files open on them.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

struct Mounted {
  const char* path;
  long type;
};

// statfs(2): PROC, SYSFS, TMPFS, DEVPTS, MQUEUE.
constexpr Mounted kMounted[] = {
    {"/proc", 0x9fa0},    {"/sys", 0x62656572},     {"/dev", 0x01021994},
    {"/dev/pts", 0x1cd1}, {"/dev/shm", 0x01021994}, {"/dev/mqueue", 0x19800202},
    {"/tmp", 0x01021994}, {"/private", 0x01021994},
};

struct stat StatOf(const char* path) {
  struct stat status = {};
  REQUIRE(lstat(path, &status) == 0);
  return status;
}

void ExpectTmp() {
  EXPECT_SAME(FileText("/tmp/plain"), "some text\n");
  EXPECT_SAME(FileText("/tmp/folder/same"), "some text\n");
  EXPECT_SAME(FileText("/tmp/a name with spaces\nand a newline"), "x");
  EXPECT_EQUAL(StatOf("/tmp/plain").st_ino, StatOf("/tmp/folder/same").st_ino);
  EXPECT_EQUAL(StatOf("/tmp/plain").st_mtim.tv_sec, 1'100'000'000);
  const struct stat owned = StatOf("/tmp/folder/owned");
  EXPECT_EQUAL(owned.st_uid, 1000);
  EXPECT_EQUAL(owned.st_gid, 1001);
  EXPECT_EQUAL(owned.st_mode, S_IFREG | 04751);
  EXPECT_EQUAL(StatOf("/tmp/folder").st_mode, S_IFDIR | 0750);
  EXPECT_EQUAL(StatOf("/tmp").st_mode, S_IFDIR | 01777);
  char target[64] = {};
  EXPECT(readlink("/tmp/symbolic", target, sizeof(target) - 1) > 0);
  EXPECT_SAME(target, "folder/owned");
  EXPECT_EQUAL(StatOf("/tmp/fifo").st_mode, S_IFIFO | 0600);
  EXPECT_EQUAL(StatOf("/tmp/device").st_mode, S_IFCHR | 0640);
  EXPECT_EQUAL(StatOf("/tmp/device").st_rdev, makedev(1, 3));
  EXPECT_EQUAL(StatOf("/tmp/empty").st_size, 1 << 20);
  EXPECT_EQUAL(StatOf("/tmp/empty").st_blocks, 0);
}

void ExpectFlags() {
  struct statvfs status = {};
  REQUIRE(statvfs("/ro", &status) == 0);
  EXPECT((status.f_flag & ST_RDONLY) != 0);
  constexpr unsigned long kFlags = ST_NOSUID | ST_NODEV | ST_NOATIME;
  EXPECT((status.f_flag & kFlags) == kFlags);
  errno = 0;
  EXPECT(open("/ro/new", O_WRONLY | O_CREAT, 0600) < 0 && errno == EROFS);
  REQUIRE(statvfs("/proc", &status) == 0);
  EXPECT((status.f_flag & (ST_NODEV | ST_NOEXEC)) == (ST_NODEV | ST_NOEXEC));
  REQUIRE(statvfs("/data", &status) == 0);
  EXPECT((status.f_flag & ST_RDONLY) == 0);
}

// A mount on /shared shows up where it should, and one on a slave does not come back.
void ExpectPropagation() {
  REQUIRE(mount("new", "/shared/folder", "tmpfs", 0, nullptr) == 0);
  const dev_t device = StatOf("/shared/folder").st_dev;
  EXPECT_EQUAL(StatOf("/peer/folder").st_dev, device);
  EXPECT_EQUAL(StatOf("/slave/folder").st_dev, device);
  EXPECT_EQUAL(StatOf("/slave_shared/folder").st_dev, device);
  REQUIRE(umount("/shared/folder") == 0);
  EXPECT(StatOf("/slave/folder").st_dev != device);
  REQUIRE(mount("new", "/slave/folder", "tmpfs", 0, nullptr) == 0);
  EXPECT(StatOf("/shared/folder").st_dev != StatOf("/slave/folder").st_dev);
  REQUIRE(umount("/slave/folder") == 0);
}

void ExpectDevices() {
  EXPECT_EQUAL(StatOf("/dev/null").st_rdev, makedev(1, 3));
  EXPECT_EQUAL(StatOf("/dev/null").st_mode, S_IFCHR | 0666);
  EXPECT_EQUAL(StatOf("/dev/tty").st_rdev, makedev(5, 0));
  const int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  EXPECT_SAME(ptsname(fd), "/dev/pts/0");
  close(fd);
}

void Verify() {
  for (const Mounted& mounted : kMounted) {
    struct statfs status = {};
    REQUIRE(statfs(mounted.path, &status) == 0);
    EXPECT_EQUAL(status.f_type, mounted.type);
  }
  ExpectTmp();
  ExpectFlags();
  ExpectDevices();
  ExpectPropagation();
  EXPECT_SAME(FileText("/etc/hosts"), "hosts of the host\n");
  EXPECT_SAME(FileText("/etc/resolv.conf"), "resolv.conf of the host\n");
  EXPECT_SAME(FileText("/etc/hostname"), "hostname of the host\n");
}

std::string Next(int fd, size_t size) {
  std::string text(size, '\0');
  const ssize_t got = read(fd, text.data(), size);
  text.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return text;
}

// Of every other file system. What is open is what the path leads to again.
constexpr const char* kOpened[] = {
    "/proc/version",
    "/proc/sys/kernel/ostype",
    "/proc/sys/fs",
    "/sys/kernel",
    "/sys/kernel/uevent_seqnum",
    "/dev/pts",
    "/dev/mqueue",
    "/private",
    "/dev/zero",
    "/dev/urandom",
};

std::vector<int> OpenAll() {
  std::vector<int> opened;
  for (const char* path : kOpened) {
    opened.push_back(open(path, O_RDONLY | O_CLOEXEC));
    REQUIRE(opened.back() >= 0);
  }
  return opened;
}

void ExpectOpened(const std::vector<int>& opened) {
  for (size_t i = 0; i < opened.size(); ++i) {
    struct stat by_descriptor = {};
    struct stat by_path = {};
    EXPECT(fstat(opened[i], &by_descriptor) == 0 && stat(kOpened[i], &by_path) == 0);
    EXPECT_EQUAL(by_descriptor.st_ino, by_path.st_ino);
    EXPECT_EQUAL(by_descriptor.st_dev, by_path.st_dev);
  }
  EXPECT_SAME(Next(opened[1], 100), "nux\n");
}

// Where files are deleted while they are open.
constexpr const char* kLost[] = {"/tmp/folder", "/dev/shm", "/dev", "/private", "/slave", "/work"};

int OpenLost(const std::string& directory) {
  const std::string path = directory + "/lost";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  REQUIRE(file >= 0);
  EXPECT_EQUAL(write(file, path.data(), path.size()), path.size());
  REQUIRE(unlink(path.c_str()) == 0);
  return file;
}

// Through a mount on which nothing can be made.
int OpenLostReadOnly() {
  const int writer = open("/data/lost", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  REQUIRE(writer >= 0);
  EXPECT_EQUAL(write(writer, "/ro/lost", 8), 8);
  close(writer);
  const int file = open("/ro/lost", O_RDONLY | O_CLOEXEC);
  REQUIRE(file >= 0);
  REQUIRE(unlink("/data/lost") == 0);
  return file;
}

void ExpectLost(int file, const std::string& directory) {
  const std::string path = directory + "/lost";
  struct stat status = {};
  struct stat place = {};
  EXPECT(fstat(file, &status) == 0 && stat(directory.c_str(), &place) == 0);
  EXPECT_EQUAL(status.st_nlink, 0);
  EXPECT_EQUAL(status.st_dev, place.st_dev);
  EXPECT(access(path.c_str(), F_OK) < 0);
  EXPECT_EQUAL(lseek(file, 0, SEEK_SET), 0);
  EXPECT_SAME(Next(file, 100), path);
}

void Run() {
  if (mkdir("/data/folder", 0755) != 0) REQUIRE(errno == EEXIST);
  Verify();
  const int tmp = open("/tmp/plain", O_RDWR | O_CLOEXEC);
  const int read_only = open("/ro/file", O_RDONLY | O_CLOEXEC);
  const int shared = open("/slave/file", O_RDONLY | O_CLOEXEC);
  const int hosts = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  const int directory = open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(tmp >= 0 && read_only >= 0 && shared >= 0 && hosts >= 0 && null >= 0 && directory >= 0);
  EXPECT_SAME(Next(tmp, 5), "some ");
  EXPECT_SAME(Next(hosts, 6), "hosts ");
  const std::vector<int> opened = OpenAll();
  std::vector<int> lost;
  for (const char* where : kLost) lost.push_back(OpenLost(where));
  const int seen = OpenLostReadOnly();
  EXPECT_SAME(Next(opened[1], 2), "Li");
  ReadyAndAwaitGo();
  ExpectOpened(opened);
  for (size_t i = 0; i < lost.size(); ++i) ExpectLost(lost[i], kLost[i]);
  ExpectLost(seen, "/ro");
  EXPECT_SAME(Next(tmp, 100), "text\n");
  EXPECT_SAME(Next(hosts, 100), "of the host\n");
  EXPECT_SAME(Next(read_only, 100), "/data/file of the root\n");
  EXPECT_SAME(Next(shared, 100), "/data/file of the root\n");
  EXPECT(write(null, "x", 1) == 1);
  EXPECT(write(tmp, "more\n", 5) == 5);
  EXPECT_SAME(FileText("/tmp/folder/same"), "some text\nmore\n");
  EXPECT(ftruncate(tmp, 10) == 0);
  const timespec times[] = {{1'000'000'000, 0}, {1'100'000'000, 0}};
  EXPECT(futimens(tmp, times) == 0);
  Verify();
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
