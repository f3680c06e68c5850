// Has a child, which a dump of a single process must refuse; goes on unharmed.
#include <sys/wait.h>
#include <unistd.h>

#include "tests/programs/program.h"

int main(int argc, char** argv) {
  using namespace ckpt;
  Begin(argc, argv);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    char byte = 0;
    _exit(read(ends[0], &byte, 1) == 0 ? 42 : 1);  // ends with its parent at the latest
  }
  REQUIRE(child > 0);
  ReadyAndAwaitGo();
  REQUIRE(close(ends[1]) == 0);
  int status = 0;
  EXPECT_EQUAL(waitpid(child, &status, 0), child);
  EXPECT_EQUAL(WEXITSTATUS(status), 42);
  Finish();
}
