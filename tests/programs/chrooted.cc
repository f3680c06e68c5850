// A process whose root directory is not the root of its mounts, with a file and a directory open
// below it, and a child whose root directory lies deeper still.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

bool IsThere(const char* path) { return access(path, F_OK) == 0; }

std::string WorkingDirectory() {
  char path[4096];
  return getcwd(path, sizeof(path)) != nullptr ? path : "(none)";
}

void CheckDeeper() {
  EXPECT_SAME(WorkingDirectory(), "/");
  EXPECT(IsThere("/innermost"));
  EXPECT(!IsThere("/deeper"));
}

void Run() {
  REQUIRE(mkdir("new-root", 0755) == 0 && mkdir("new-root/work", 0755) == 0);
  REQUIRE(mkdir("new-root/deeper", 0755) == 0 && mkdir("new-root/deeper/innermost", 0755) == 0);
  // In a container there is procfs inside, too: by it the harness looks at what has numbers there.
  if (getpid() == 1) {
    REQUIRE(mkdir("new-root/proc", 0755) == 0);
    REQUIRE(mount("/proc", "new-root/proc", nullptr, MS_BIND, nullptr) == 0);
  }
  // What the harness waits for lies in the working directory, which remains the same.
  ReportFromHere();
  const int outside = open(".", O_RDONLY | O_DIRECTORY);
  REQUIRE(outside >= 0);
  const pid_t child = StartChild([] {
    REQUIRE(chroot("new-root/deeper") == 0 && chdir("/") == 0);
    ReadyAndAwaitGo();
    CheckDeeper();
  });
  REQUIRE(chroot("new-root") == 0);
  const int file = open("/work/file", O_RDWR | O_CREAT, 0644);
  REQUIRE(file >= 0 && write(file, "text", 4) == 4);

  ReadyAndAwaitGo();

  EXPECT(IsThere("/deeper/innermost"));
  EXPECT(!IsThere("/new-root"));
  EXPECT(faccessat(outside, "new-root", F_OK, 0) == 0);
  EXPECT_EQUAL(lseek(file, 0, SEEK_CUR), 4);
  EXPECT_SAME(FileText("/work/file"), "text");
  EndChild(child);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
