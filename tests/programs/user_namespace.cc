// Root of a user namespace of its own, with binary formats that are registered there alone.
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr char kByExtension[] = ":by_extension:E::ckpt::/bin/user_namespace:";
constexpr char kByMagic[] =
    ":by_magic:M:2:\\x7fCKPT:\\xff\\xff\\xff\\xff\\xff:/bin/user_namespace:OC";

void Register(const char* format) {
  const int fd = open("/binfmt_misc/register", O_WRONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  REQUIRE(write(fd, format, strlen(format)) == static_cast<ssize_t>(strlen(format)));
  close(fd);
}

void Run() {
  Register(kByExtension);
  Register(kByMagic);
  const std::string before = FileText("/binfmt_misc/by_magic");

  ReadyAndAwaitGo();

  EXPECT_EQUAL(getuid(), 0);
  EXPECT_SAME(FileText("/proc/self/uid_map"), "         0          0      65536\n");
  EXPECT_SAME(FileText("/binfmt_misc/by_magic"), before);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
