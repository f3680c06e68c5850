// Counts in memory and into a file, with a library mapped through the directory of the layer that
// it lies in: it is opened and mapped before the root directory becomes the union of the layers.
// WORKDIR, which lies in the union, has two files: `library`, the path of the library in its layer,
// and `root`, the path of the union.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr size_t kPage = 4096;
constexpr char kMark[] = "written over a page of the library";

std::string Setting(const char* name) {
  std::string text = FileText(name);
  return text.substr(0, text.find('\n'));
}

struct Library {
  std::string content;
  const char* text;  // as it is in the file
  char* data;        // the same file, its first page changed
};

Library MapLibrary(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  Library library = {FileText(path), nullptr, nullptr};
  const size_t size = library.content.size();
  REQUIRE(size > 2 * kPage);
  void* text = mmap(nullptr, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  REQUIRE(text != MAP_FAILED && data != MAP_FAILED && close(fd) == 0);
  library.text = static_cast<const char*>(text);
  library.data = static_cast<char*>(data);
  memcpy(library.data, kMark, sizeof(kMark));
  return library;
}

void ExpectLibrary(const Library& library) {
  const size_t size = library.content.size();
  EXPECT(memcmp(library.text, library.content.data(), size) == 0);
  EXPECT(memcmp(library.data, kMark, sizeof(kMark)) == 0);
  EXPECT(memcmp(library.data + sizeof(kMark), library.content.data() + sizeof(kMark),
                size - sizeof(kMark)) == 0);
}

void ExpectNumbers(const char* path, long long count) {
  FILE* file = fopen(path, "r");
  REQUIRE(file != nullptr);
  long long expected = 1;
  for (long long number; fscanf(file, "%lld", &number) == 1; ++expected) {
    EXPECT_EQUAL(number, expected);
  }
  EXPECT_EQUAL(expected - 1, count);
  fclose(file);
}

void Run() {
  const Library library = MapLibrary(Setting("library"));
  ChangeRoot(Setting("root"));
  const pid_t pid = getpid();
  const char* path = "/data/numbers";
  FILE* file = fopen(path, "w");
  REQUIRE(file != nullptr);
  setvbuf(file, nullptr, _IONBF, 0);
  long long count = 0;
  while (!GoArrived()) {
    fprintf(file, "%lld\n", ++count);
    if (count == 10) Ready();
    usleep(10000);
  }
  EXPECT_EQUAL(getpid(), pid);
  ExpectLibrary(library);
  ExpectNumbers(path, count);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
