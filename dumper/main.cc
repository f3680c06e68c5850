#include <iostream>
#include <string>
#include <vector>

#include "dumper/run_dump.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return ckpt::RunDump(arguments, std::cout, std::cerr);
}
