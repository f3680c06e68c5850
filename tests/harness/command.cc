#include "tests/harness/command.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/ranges.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"

namespace ckpt {
namespace {

std::string Text(const std::vector<std::string>& arguments) {
  return fmt::format("{}", fmt::join(arguments, " "));
}

[[noreturn]] void Exec(const std::vector<std::string>& arguments) {
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    words.push_back(const_cast<char*>(argument.c_str()));
  }
  words.push_back(nullptr);
  execvp(words[0], words.data());
  _exit(127);
}

[[noreturn]] void Exec(const std::vector<std::string>& arguments, int output, int errors) {
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0) _exit(126);
  Exec(arguments);
}

// Memory files, not pipes: nobody has to read while the command runs.
Result<UniqueFd> OutputFile() {
  UniqueFd file(memfd_create("output", MFD_CLOEXEC));
  if (!file.valid()) return ErrnoError(errno, "memfd_create(\"output\", MFD_CLOEXEC)");
  return file;
}

Result<std::string> Contents(const UniqueFd& file) {
  if (lseek(file.get(), 0, SEEK_SET) < 0) return ErrnoError(errno, "lseek(output, 0, SEEK_SET)");
  return ReadWholeFd(file.get(), "output");
}

Result<int> AwaitExitStatus(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return ErrnoError(errno, "waitpid({}, 0)", pid);
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Result<CommandResult> RunCommand(const std::vector<std::string>& arguments) {
  CKPT_TRY(const UniqueFd output, OutputFile());
  CKPT_TRY(const UniqueFd errors, OutputFile());
  const pid_t pid = fork();
  if (pid < 0) return ErrnoError(errno, "fork()");
  if (pid == 0) Exec(arguments, output.get(), errors.get());
  CommandResult result;
  CKPT_TRY(result.exit_status, AwaitExitStatus(pid));
  CKPT_TRY(result.output, Contents(output));
  CKPT_TRY(result.errors, Contents(errors));
  return result;
}

Result<CommandResult> RunCommandOn(Terminal& terminal, const std::vector<std::string>& arguments) {
  CKPT_TRY(const pid_t pid, terminal.Fork(SessionRole::kMember, 0));
  if (pid == 0) Exec(arguments);
  CommandResult result;
  CKPT_TRY(result.exit_status, AwaitExitStatus(pid));
  return result;
}

Result<CommandResult> RunCommandWell(const std::vector<std::string>& arguments) {
  CKPT_TRY(CommandResult result, RunCommand(arguments));
  if (result.exit_status == 0) return result;
  return MakeError(ErrorCode::kInternal, "{}: exit status {}: {}{}", Text(arguments),
                   result.exit_status, result.output, result.errors);
}

std::string RunfilePath(const std::string& path) {
  const char* sources = getenv("TEST_SRCDIR");
  const char* workspace = getenv("TEST_WORKSPACE");
  if (sources == nullptr || workspace == nullptr) return path;
  return fmt::format("{}/{}/{}", sources, workspace, path);
}

Result<std::string> MakeTestDirectory(const std::string& name) {
  const char* folder = getenv("TEST_TMPDIR");
  std::string path = fmt::format("{}/{}", folder == nullptr ? "/tmp" : folder, name);
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (!error) std::filesystem::create_directories(path, error);
  if (error) return ErrnoError(error.value(), "create \"{}\"", path);
  return path;
}

}  // namespace ckpt
