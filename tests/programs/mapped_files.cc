// Has many files mapped, whole, and expects their content to stay as it was, and has the root
// directory open. WORKDIR/files lists them, each by two paths that end with a NUL: from the folder
// of the container's layers, which a program that maps through layers has as a descriptor (see
// tests/harness/container.h), and from the root directory, which others go by.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

struct Mapping {
  std::string path;
  std::string content;
  const char* at;
};

Mapping Map(int folder, const std::string& path) {
  const int fd = openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status = {};
  REQUIRE(fd >= 0 && fstat(fd, &status) == 0);
  std::string content(static_cast<size_t>(status.st_size), '\0');
  REQUIRE(read(fd, content.data(), content.size()) == status.st_size);
  void* at = mmap(nullptr, content.size(), PROT_READ, MAP_PRIVATE, fd, 0);
  REQUIRE(at != MAP_FAILED && close(fd) == 0);
  return {path, content, static_cast<const char*>(at)};
}

std::vector<Mapping> MapFiles(const std::string& list) {
  const char* layers = getenv("CKPT_LAYERS_FD");
  std::vector<Mapping> mappings;
  for (size_t at = 0; at < list.size();) {
    const std::string below_layers = list.c_str() + at;
    at += below_layers.size() + 1;
    const std::string in_union = list.c_str() + at;
    at += in_union.size() + 1;
    mappings.push_back(layers != nullptr ? Map(atoi(layers), below_layers)
                                         : Map(AT_FDCWD, in_union));
  }
  return mappings;
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  using namespace ckpt;
  const std::string list = argc == 2 ? FileText(std::string(argv[1]) + "/files") : "";
  const std::vector<Mapping> mappings = MapFiles(list);  // Begin() closes the descriptor
  Begin(argc, argv);
  const int root = open("/", O_RDONLY | O_DIRECTORY);
  REQUIRE(!mappings.empty() && root >= 0);
  ReadyAndAwaitGo();
  EXPECT(faccessat(root, "bin/mapped_files", X_OK, 0) == 0);
  for (const Mapping& mapping : mappings) {
    const std::string now(mapping.at, mapping.content.size());
    Expect(now == mapping.content, mapping.path.c_str(), __LINE__);
  }
  Finish();
}
