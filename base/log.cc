#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <iterator>

namespace ckpt {

namespace {

constexpr std::array<std::string_view, 5> kPrefixes = {"", "Error: ", "Warning: ", "", ""};

}  // namespace

Result<Log> Log::Open(const std::string& path, LogLevel level) {
  if (path.empty()) return Log(UniqueFd(), level);
  CKPT_TRY(UniqueFd file, OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644));
  return Log(std::move(file), level);
}

std::string_view Log::Prefix(LogLevel level) { return kPrefixes.at(static_cast<size_t>(level)); }

void Log::WriteLine(std::string_view prefix, std::string_view text) {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  const std::string line = fmt::format("({:09.6f}) {}{}\n", elapsed.count(), prefix, text);
  // A log that cannot be written is no reason to stop: there is nowhere left to say so.
  static_cast<void>(
      WriteAll(file_.valid() ? file_.get() : STDERR_FILENO, AsBytes(line), "the log"));
}

std::optional<LogLevel> ParseLogLevel(std::string_view text) {
  if (text.empty()) return LogLevel::kInfo;
  if (text == "v") return LogLevel::kDebug;
  if (text.size() == 1 && text[0] >= '0' && text[0] <= '4') {
    return static_cast<LogLevel>(text[0] - '0');
  }
  return std::nullopt;
}

std::string LogPath(const std::string& images_directory, const std::string& log_file) {
  if (log_file.empty() || log_file.starts_with('/')) return log_file;
  return fmt::format("{}/{}", images_directory, log_file);
}

}  // namespace ckpt
