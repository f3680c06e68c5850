// A personality of its own.
#include <sys/personality.h>

#include "tests/programs/program.h"

int main(int argc, char** argv) {
  using namespace ckpt;
  constexpr unsigned kAsk = 0xffffffff;
  Begin(argc, argv);
  REQUIRE(personality(ADDR_NO_RANDOMIZE | SHORT_INODE) != -1);
  ReadyAndAwaitGo();
  EXPECT_EQUAL(personality(kAsk), ADDR_NO_RANDOMIZE | SHORT_INODE);
  Finish();
}
