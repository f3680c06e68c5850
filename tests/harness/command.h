// Commands that a test runs to their end.
#ifndef TESTS_HARNESS_COMMAND_H_
#define TESTS_HARNESS_COMMAND_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "tests/harness/terminal.h"

namespace ckpt {

struct CommandResult {
  int exit_status = 0;  // 128 + the signal when one ended it, as shells say
  std::string output;   // standard output
  std::string errors;   // standard error
};

// Runs arguments[0] (looked up in PATH) with standard input from /dev/null, and waits for its end.
// Processes that it leaves behind may hold neither output open.
Result<CommandResult> RunCommand(const std::vector<std::string>& arguments);

// The same, and an error with both outputs in it when the exit status is not 0.
Result<CommandResult> RunCommandWell(const std::vector<std::string>& arguments);

// The same in the session of the terminal, which has its input and outputs.
Result<CommandResult> RunCommandOn(Terminal& terminal, const std::vector<std::string>& arguments);

// A file of the source tree or the build that the test names in its data, such as
// "dumper/ckpt-dump".
std::string RunfilePath(const std::string& path);

// A directory of the test's own, empty, below the folder for temporary files.
Result<std::string> MakeTestDirectory(const std::string& name);

}  // namespace ckpt

#endif  // TESTS_HARNESS_COMMAND_H_
