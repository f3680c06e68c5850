// Holds a socket, which a dump must refuse; goes on unharmed.
#include <sys/socket.h>
#include <unistd.h>

#include "tests/programs/program.h"

int main(int argc, char** argv) {
  using namespace ckpt;
  Begin(argc, argv);
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  ReadyAndAwaitGo();
  EXPECT_EQUAL(write(ends[0], "x", 1), 1);
  char byte = 0;
  EXPECT_EQUAL(read(ends[1], &byte, 1), 1);
  EXPECT_EQUAL(byte, 'x');
  Finish();
}
