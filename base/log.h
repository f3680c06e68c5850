// The log of a long-running program: lines with the seconds since its start, as CRIU's logs have
// them. Passed explicitly; libraries write to the one that their program gives them.
#ifndef BASE_LOG_H_
#define BASE_LOG_H_

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/result.h"

namespace ckpt {

// The N of -vN.
enum class LogLevel : int { kSilent = 0, kError = 1, kWarning = 2, kInfo = 3, kDebug = 4 };

class Log {
 public:
  // Lines up to `level` go to `path`, which is created or emptied, or to stderr where it is empty.
  static Result<Log> Open(const std::string& path, LogLevel level);
  // A log that drops everything.
  Log() = default;

  template <typename... Args>
  void Write(LogLevel level, fmt::format_string<Args...> text, Args&&... args) {
    if (Wants(level)) WriteLine(Prefix(level), fmt::format(text, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void Error(fmt::format_string<Args...> text, Args&&... args) {
    Write(LogLevel::kError, text, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Warning(fmt::format_string<Args...> text, Args&&... args) {
    Write(LogLevel::kWarning, text, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Info(fmt::format_string<Args...> text, Args&&... args) {
    Write(LogLevel::kInfo, text, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Debug(fmt::format_string<Args...> text, Args&&... args) {
    Write(LogLevel::kDebug, text, std::forward<Args>(args)...);
  }

  // What every log ends with, unless it is silent: no error, but not less wanted than one.
  template <typename... Args>
  void Summary(fmt::format_string<Args...> text, Args&&... args) {
    if (Wants(LogLevel::kError)) WriteLine("", fmt::format(text, std::forward<Args>(args)...));
  }

  bool Wants(LogLevel level) const { return level <= level_; }

 private:
  Log(UniqueFd file, LogLevel level) : file_(std::move(file)), level_(level) {}
  static std::string_view Prefix(LogLevel level);
  void WriteLine(std::string_view prefix, std::string_view text);

  UniqueFd file_;  // not valid: stderr
  LogLevel level_ = LogLevel::kSilent;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// What follows -v: a digit is the level; "" (a plain -v) is one more than the default, "v" (-vv)
// two. Nothing for anything else.
std::optional<LogLevel> ParseLogLevel(std::string_view text);
inline constexpr LogLevel kDefaultLogLevel = LogLevel::kWarning;

// Where a log named on the command line lies: in the images directory, as with CRIU, unless the
// path is absolute. Empty stays empty.
std::string LogPath(const std::string& images_directory, const std::string& log_file);

}  // namespace ckpt

#endif  // BASE_LOG_H_
