// Has files of a union that is mounted at /union: one of a lower layer mapped, one of the upper
// layer that it writes to, and the directory. Of the root file system it has /data/file open.
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr char kLibrary[] = "/union/library";
constexpr char kLog[] = "/union/log";
constexpr char kRootFile[] = "/data/file";

struct Mapping {
  char* at;
  size_t size;
};

Mapping MapLibrary() {
  const int fd = open(kLibrary, O_RDONLY);
  struct stat status = {};
  REQUIRE(fd >= 0 && fstat(fd, &status) == 0);
  const size_t size = static_cast<size_t>(status.st_size);
  void* at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  REQUIRE(at != MAP_FAILED && close(fd) == 0);
  return {static_cast<char*>(at), size};
}

void Run() {
  const Mapping library = MapLibrary();
  library.at[0] = 'L';
  const int log = open(kLog, O_CREAT | O_RDWR, 0644);
  const int directory = open("/union", O_RDONLY | O_DIRECTORY);
  const int root_file = open(kRootFile, O_RDONLY);
  REQUIRE(log >= 0 && directory >= 0 && root_file >= 0);
  const std::string root_content = FileText(kRootFile);
  REQUIRE(write(log, "before", 6) == 6);

  ReadyAndAwaitGo();
  std::string expected = FileText(kLibrary);
  EXPECT_EQUAL(expected.size(), library.size);
  expected[0] = 'L';
  EXPECT(memcmp(library.at, expected.data(), library.size) == 0);
  EXPECT(write(log, " after", 6) == 6);
  EXPECT_SAME(FileText(kLog), "before after");
  EXPECT(ftruncate(log, 6) == 0);  // as it was dumped: it may be restored once more
  EXPECT(faccessat(directory, "library", R_OK, 0) == 0);
  std::string read_back(root_content.size(), '\0');
  EXPECT(read(root_file, read_back.data(), read_back.size()) ==
         static_cast<ssize_t>(read_back.size()));
  EXPECT_SAME(read_back, root_content);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
