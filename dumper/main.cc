#include <malloc.h>

#include <iostream>
#include <string>
#include <vector>

#include "dumper/run_dump.h"

int main(int argc, char** argv) {
  // An arena of its own for each thread would be mapped while the tree stands frozen.
  mallopt(M_ARENA_MAX, 1);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return ckpt::RunDump(arguments, std::cout, std::cerr);
}
