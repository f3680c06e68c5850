// The daemon of an autofs mount, in a mount namespace of its own.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

constexpr long kAutofsMagic = 0x187;  // statfs(2)

void ExpectAutofs() {
  struct statfs status = {};
  REQUIRE(statfs("auto", &status) == 0);
  EXPECT_EQUAL(status.f_type, kAutofsMagic);
}

void Run() {
  REQUIRE(mkdir("auto", 0755) == 0);
  int ends[2];
  REQUIRE(pipe2(ends, O_DIRECT) == 0);
  const std::string options = "fd=" + std::to_string(ends[1]) +
                              ",pgrp=" + std::to_string(getpgrp()) +
                              ",minproto=5,maxproto=5,indirect";
  REQUIRE(mount("ckpt", "auto", "autofs", 0, options.c_str()) == 0);
  REQUIRE(close(ends[1]) == 0);
  ExpectAutofs();
  ReadyAndAwaitGo();
  ExpectAutofs();
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
