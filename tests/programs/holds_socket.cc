// Holds a socket of a kind that a dump must refuse; goes on unharmed.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/programs/program.h"

int main(int argc, char** argv) {
  using namespace ckpt;
  Begin(argc, argv);
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  REQUIRE(fd >= 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  ReadyAndAwaitGo();
  socklen_t length = sizeof(address);
  EXPECT_EQUAL(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
  EXPECT(address.sin_port != 0);
  Finish();
}
