// Files that have no name any more: open for several descriptions, mapped only, executed, with
// holes; a FIFO with bytes in it, a directory, and the working directory.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr off_t kFar = off_t{8} << 20;

int Open(const char* path, int flags, mode_t mode = 0) {
  const int fd = open(path, flags, mode);
  REQUIRE(fd >= 0);
  return fd;
}

std::string TextAt(int fd, off_t offset, size_t size) {
  std::string text(size, '\0');
  EXPECT_EQUAL(pread(fd, text.data(), size, offset), size);
  return text;
}

struct stat StatusOf(int fd) {
  struct stat status {};
  REQUIRE(fstat(fd, &status) == 0);
  return status;
}

bool IsDeleted(const std::string& link) {
  char target[kPageBytes];
  const ssize_t size = readlink(link.c_str(), target, sizeof(target));
  REQUIRE(size > 0);
  return std::string(target, static_cast<size_t>(size)).ends_with(" (deleted)");
}

// Has this program run from a copy of itself that is deleted; returns in the copy.
void RunFromDeletedCopy(char** argv) {
  const std::string copy = std::string(argv[1]) + "/copy";
  if (access(copy.c_str(), F_OK) == 0) {
    REQUIRE(unlink(copy.c_str()) == 0);
    return;
  }
  const std::string text = FileText("/proc/self/exe");
  const int fd = Open(copy.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0755);
  REQUIRE(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  REQUIRE(close(fd) == 0);
  execv(copy.c_str(), argv);
  REQUIRE(false);
}

char* MapDeleted(const char* path, int flags) {
  const int fd = Open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  const std::string text(kPageBytes, 'm');
  REQUIRE(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  void* memory = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  REQUIRE(memory != MAP_FAILED);
  REQUIRE(close(fd) == 0 && unlink(path) == 0);
  return static_cast<char*>(memory);
}

struct Files {
  int file, duplicate, reader;
  char* shared_memory;
  char* private_memory;
  char* other_memory;
  int holes, fifo, directory;
};

Files SetUp() {
  Files files{};
  files.file = Open("file", O_RDWR | O_CREAT | O_EXCL, 0640);
  REQUIRE(fchmod(files.file, 02751) == 0 && fchown(files.file, 12, 34) == 0);
  REQUIRE(fchmod(files.file, 02751) == 0);
  REQUIRE(write(files.file, "ghostly text", 12) == 12 && lseek(files.file, 7, SEEK_SET) == 7);
  files.duplicate = dup(files.file);
  files.reader = Open("file", O_RDONLY);
  files.other_memory = static_cast<char*>(
      mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, files.file, 0));
  REQUIRE(files.other_memory != MAP_FAILED && unlink("file") == 0);
  files.shared_memory = MapDeleted("shared", MAP_SHARED);
  files.private_memory = MapDeleted("private", MAP_PRIVATE);
  files.shared_memory[1] = 's';
  files.private_memory[1] = 'p';
  files.holes = Open("holes", O_RDWR | O_CREAT | O_EXCL, 0600);
  REQUIRE(pwrite(files.holes, "far", 3, kFar) == 3 && ftruncate(files.holes, 4 * kFar) == 0);
  REQUIRE(unlink("holes") == 0);
  REQUIRE(mkfifo("fifo", 0640) == 0);
  files.fifo = Open("fifo", O_RDWR);
  REQUIRE(write(files.fifo, "in the pipe", 11) == 11 && unlink("fifo") == 0);
  REQUIRE(mkdir("directory", 0710) == 0);
  files.directory = Open("directory", O_RDONLY | O_DIRECTORY);
  REQUIRE(rmdir("directory") == 0);
  const timespec times[2] = {{1'000'000, 0}, {2'000'000, 5'000}};
  REQUIRE(futimens(files.reader, times) == 0);
  REQUIRE(mkdir("left", 0700) == 0 && chdir("left") == 0 && rmdir("../left") == 0);
  return files;
}

void CheckFile(const Files& files) {
  const struct stat status = StatusOf(files.file);
  EXPECT_EQUAL(status.st_nlink, 0);
  EXPECT_EQUAL(status.st_mode, S_IFREG | 02751);
  EXPECT_EQUAL(status.st_uid, 12);
  EXPECT_EQUAL(status.st_gid, 34);
  EXPECT_EQUAL(status.st_mtim.tv_sec, 2'000'000);
  EXPECT_EQUAL(status.st_mtim.tv_nsec, 5'000);
  EXPECT_EQUAL(StatusOf(files.reader).st_ino, status.st_ino);
  EXPECT_EQUAL(lseek(files.duplicate, 0, SEEK_CUR), 7);
  EXPECT_EQUAL(lseek(files.reader, 0, SEEK_CUR), 0);
  EXPECT_SAME(TextAt(files.reader, 0, 12), "ghostly text");
  EXPECT_EQUAL(write(files.file, "TEXT", 4), 4);
  EXPECT_EQUAL(lseek(files.duplicate, 0, SEEK_CUR), 11);
  EXPECT_SAME(TextAt(files.reader, 0, 12), "ghostlyTEXTt");
  EXPECT_SAME(std::string(files.other_memory, 12), "ghostlyTEXTt");
  files.other_memory[0] = 'G';
  EXPECT_SAME(TextAt(files.reader, 0, 1), "G");
}

void Check(const Files& files) {
  CheckFile(files);
  EXPECT_SAME(std::string(files.shared_memory, 4), "msmm");
  EXPECT_SAME(std::string(files.private_memory, 4), "mpmm");
  EXPECT_EQUAL(StatusOf(files.holes).st_size, 4 * kFar);
  EXPECT(StatusOf(files.holes).st_blocks < 1000);
  EXPECT_SAME(TextAt(files.holes, kFar - 1, 5), std::string("\0far\0", 5));
  std::string text(20, '\0');
  EXPECT_EQUAL(read(files.fifo, text.data(), text.size()), 11);
  EXPECT_SAME(text.substr(0, 11), "in the pipe");
  EXPECT_EQUAL(StatusOf(files.fifo).st_mode, S_IFIFO | 0640);
  EXPECT_EQUAL(StatusOf(files.directory).st_mode, S_IFDIR | 0710);
  for (const int fd : {files.file, files.holes, files.fifo, files.directory}) {
    EXPECT(IsDeleted("/proc/self/fd/" + std::to_string(fd)));
  }
  EXPECT(IsDeleted("/proc/self/exe"));
  EXPECT(IsDeleted("/proc/self/cwd"));
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  using namespace ckpt;
  RunFromDeletedCopy(argv);
  Begin(argc, argv);
  const Files files = SetUp();
  ReadyAndAwaitGo();
  Check(files);
  Finish();
}
