// Has /library mapped, a file of the union that is its root, and has a child in a mount namespace
// of its own, which has /library of another union mapped: that one, mounted at /union before, is
// its root. WORKDIR is the same for both.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

struct Mapping {
  std::string content;
  const char* at;
};

Mapping Map(const char* path) {
  Mapping mapping = {FileText(path), nullptr};
  const int fd = open(path, O_RDONLY);
  void* at = mmap(nullptr, mapping.content.size(), PROT_READ, MAP_PRIVATE, fd, 0);
  REQUIRE(!mapping.content.empty() && at != MAP_FAILED && close(fd) == 0);
  mapping.at = static_cast<const char*>(at);
  return mapping;
}

void Expect(const Mapping& mapping) {
  EXPECT(std::string(mapping.at, mapping.content.size()) == mapping.content);
}

void EnterOtherUnion() {
  REQUIRE(unshare(CLONE_NEWNS) == 0);
  REQUIRE(mkdir("/union/work", 0755) == 0 && chdir("/union") == 0);
  REQUIRE(mount("/work", "/union/work", nullptr, MS_BIND, nullptr) == 0);
  REQUIRE(syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0);
  REQUIRE(chdir("/") == 0);
}

void BeChild() {
  EnterOtherUnion();
  const Mapping library = Map("/library");
  ReadyAndAwaitGo();
  Expect(library);
  EXPECT_SAME(FileText("/library"), library.content);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  using namespace ckpt;
  Begin(argc, argv);
  const Mapping library = Map("/library");
  const pid_t child = StartChild(BeChild);
  REQUIRE(umount2("/union", 0) == 0);
  ReadyAndAwaitGo();
  EndChild(child);
  Expect(library);
  Finish();
}
