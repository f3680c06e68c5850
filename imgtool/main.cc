#include <unistd.h>

#include <csignal>
#include <span>
#include <string>
#include <vector>

#include "imgtool/program.h"
#include "imgtool/temporary_directory.h"

int main(int argc, char** argv) {
  // A reader that stops early is reported by write(2), not by a deadly signal.
  std::signal(SIGPIPE, SIG_IGN);
  ckpt::RemoveTemporaryDirectoriesOnSignals();
  const std::vector<std::string> args(argv + 1, argv + argc);
  return ckpt::RunImgtoolOnDescriptors(args, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
}
