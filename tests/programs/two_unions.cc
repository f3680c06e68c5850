// Has /library mapped, a file of the union that is its root, and has a child in a mount namespace
// of its own, which has /library of another union mapped: that one, mounted at /union before, is
// its root. WORKDIR is the same for both. Another child unshared its mount namespace, too, and has
// /unshared of the first union mapped.
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

void BeChildInTheSameUnion() {
  REQUIRE(unshare(CLONE_NEWNS) == 0);
  const Mapping unshared = Map("/unshared");
  ReadyAndAwaitGo();
  Expect(unshared);
  EXPECT_SAME(FileText("/unshared"), unshared.content);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  using namespace ckpt;
  Begin(argc, argv);
  const Mapping library = Map("/library");
  const pid_t child = StartChild(BeChild);
  REQUIRE(umount2("/union", 0) == 0);
  const pid_t other_child = StartChild(BeChildInTheSameUnion);
  ReadyAndAwaitGo();
  EndChild(child);
  EndChild(other_child);
  Expect(library);
  Finish();
}
