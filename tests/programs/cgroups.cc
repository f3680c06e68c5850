// A cgroup namespace of its own, with a hierarchy mounted in it.
#include <sys/mount.h>
#include <sys/stat.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

void Run() {
  REQUIRE(mkdir("pids", 0755) == 0);
  REQUIRE(mount("cgroup", "pids", "cgroup", 0, "pids") == 0);
  const std::string before = FileText("/proc/self/cgroup");

  ReadyAndAwaitGo();

  EXPECT_SAME(FileText("/proc/self/cgroup"), before);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
