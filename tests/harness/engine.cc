#include "tests/harness/engine.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <vector>

#include "base/file.h"

namespace ckpt {
namespace {

constexpr size_t kLogTailBytes = 600;

// The path of a working criu. Asked once: the script may have to fetch it.
const Result<std::string>& CriuPath() {
  static const auto* const path = new Result<std::string>([]() -> Result<std::string> {
    CKPT_TRY(CommandResult asked, RunCommand({RunfilePath("tools/get-criu")}));
    if (asked.exit_status != 0) return MakeError(ErrorCode::kNotFound, "{}", asked.errors);
    return asked.output.substr(0, asked.output.find('\n'));
  }());
  return *path;
}

Result<std::vector<std::string>> Command(Engine engine, const std::string& verb) {
  if (engine == Engine::kOurs) {
    return std::vector<std::string>{
        RunfilePath(verb == "dump" ? "dumper/ckpt-dump" : "restorer/ckpt-restore")};
  }
  if (CriuPath().has_error()) return CriuPath().error();
  return std::vector<std::string>{CriuPath().value(), verb, "--manage-cgroups=ignore"};
}

// The lines of a log that tell of errors (and warnings), and its end.
std::string Gist(const std::string& path) {
  const Result<std::string> log = ReadWholeFile(path);
  if (log.has_error()) return log.error().message;
  std::string_view rest = log.value();
  std::string gist;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const bool telling = line.find("Error") != line.npos || line.find("Warn") != line.npos;
    if (telling || rest.size() <= kLogTailBytes) gist += fmt::format("{}\n", line);
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  return gist;
}

Result<> RunEngine(const std::vector<std::string>& command, const std::string& log_path,
                   Terminal* terminal = nullptr) {
  CKPT_TRY(const CommandResult result,
           terminal == nullptr ? RunCommand(command) : RunCommandOn(*terminal, command));
  if (result.exit_status == 0) return success();
  return MakeError(ErrorCode::kInternal, "{}: exit status {}: {}{}; of the log:\n{}", command[0],
                   result.exit_status, result.output, result.errors, Gist(log_path));
}

Result<pid_t> ReadPidFile(const std::string& path) {
  CKPT_TRY(const std::string text, ReadWholeFile(path));
  pid_t pid = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (parsed.ec != std::errc() || pid <= 0) {
    return MakeError(ErrorCode::kBadFormat, "{}: \"{}\" is not a pid", path, text);
  }
  return pid;
}

}  // namespace

std::string_view Name(Engine engine) { return engine == Engine::kOurs ? "Ours" : "Criu"; }

Result<> CheckAvailable(Engine engine) {
  CKPT_TRY(Command(engine, "dump"));
  return success();
}

Result<> Dump(Engine engine, pid_t pid, const std::string& directory, ProcessAfter after,
              const std::vector<std::string>& more) {
  CKPT_TRY(std::vector<std::string> command, Command(engine, "dump"));
  const std::string log = directory + "/dump.log";
  for (const std::string& word : {std::string("-t"), std::to_string(pid), std::string("-D"),
                                  directory, std::string("-o"), log, std::string("-v4")}) {
    command.push_back(word);
  }
  command.insert(command.end(), more.begin(), more.end());
  if (after == ProcessAfter::kRunning) command.push_back("--leave-running");
  if (after == ProcessAfter::kStopped) command.push_back("--leave-stopped");
  return RunEngine(command, log);
}

Result<pid_t> Restore(Engine engine, const std::string& directory,
                      const std::vector<std::string>& more, Terminal* terminal) {
  CKPT_TRY(std::vector<std::string> command, Command(engine, "restore"));
  const std::string log = directory + "/restore.log";
  const std::string pid_file = directory + "/restored.pid";
  std::error_code ignored;
  std::filesystem::remove(pid_file, ignored);
  for (const std::string& word :
       {std::string("-D"), directory, std::string("-o"), log, std::string("-v4"), std::string("-d"),
        std::string("--pidfile"), pid_file}) {
    command.push_back(word);
  }
  command.insert(command.end(), more.begin(), more.end());
  CKPT_TRY(RunEngine(command, log, terminal));
  return ReadPidFile(pid_file);
}

}  // namespace ckpt
