// A process of another user, with distinct real, effective and saved ids.
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

std::string Ids() {
  return StatusField("Uid") + "; " + StatusField("Gid") + "; " + StatusField("Groups") + "; " +
         StatusField("CapPrm") + "; dumpable " + std::to_string(prctl(PR_GET_DUMPABLE));
}

void Run() {
  REQUIRE(chmod(".", 0777) == 0);
  ReportFromHere();
  const gid_t groups[] = {2000};
  REQUIRE(setgroups(1, groups) == 0);
  REQUIRE(setresgid(1001, 1002, 1003) == 0);
  REQUIRE(setresuid(1004, 1005, 1006) == 0);
  REQUIRE(prctl(PR_SET_DUMPABLE, 1) == 0);
  const std::string then = Ids();

  ReadyAndAwaitGo();

  EXPECT_SAME(Ids(), then);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
