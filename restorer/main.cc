#include <iostream>
#include <string>
#include <vector>

#include "restorer/run_restore.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return ckpt::RunRestore(arguments, std::cout, std::cerr);
}
