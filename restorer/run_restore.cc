#include "restorer/run_restore.h"

#include <fmt/ostream.h>
#include <sys/wait.h>

#include <boost/program_options.hpp>
#include <cerrno>
#include <exception>
#include <ostream>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/result.h"
#include "restorer/restore.h"

namespace ckpt {

namespace {

namespace po = boost::program_options;

constexpr std::string_view kVersion = "ckpt-restore 0.1 (CRIU image format, img_version 1 and 2)";

// What a shell adds to the number of the signal that ended a process.
constexpr int kSignalledExit = 128;

struct CommandLine {
  RestoreOptions restore;
  bool detached = false;
  std::string log_file;
  LogLevel log_level = kDefaultLogLevel;
};

po::options_description DescribeOptions() {
  po::options_description options("options");
  options.add_options()  //
      ("images-dir,D", po::value<std::string>()->value_name("DIR")->default_value("."),
       "where the images are")  //
      ("log-file,o", po::value<std::string>()->value_name("FILE")->default_value(""),
       "the log, in the images directory unless absolute (default: stderr)")  //
      ("verbosity,v", po::value<std::string>()->value_name("[N]")->implicit_value(""),
       "log level: 1 errors, 2 warnings (default), 3 information, 4 everything")      //
      ("restore-detached,d", "end when the process runs, instead of waiting for it")  //
      ("pidfile", po::value<std::string>()->value_name("FILE")->default_value(""),
       "write the pid there, when the process is complete")  //
      ("root,r", po::value<std::string>()->value_name("DIR")->default_value(""),
       "the directory at which the paths of the dump begin")  //
      ("help,h", "show this help")                            //
      ("version,V", "show the version");
  return options;
}

Error UsageError(std::string_view message) {
  return MakeError(ErrorCode::kUsage, "{} (see ckpt-restore --help)", message);
}

Result<CommandLine> Interpret(const po::variables_map& values) {
  CommandLine line;
  line.restore.images_dir = values["images-dir"].as<std::string>();
  line.restore.root = values["root"].as<std::string>();
  line.restore.pidfile = values["pidfile"].as<std::string>();
  line.detached = values.count("restore-detached") > 0;
  line.log_file = values["log-file"].as<std::string>();
  if (values.count("verbosity") > 0) {
    const std::string text = values["verbosity"].as<std::string>();
    const auto level = ParseLogLevel(text);
    if (!level) return UsageError(fmt::format("\"-v{}\": levels are 0 to 4", text));
    line.log_level = *level;
  }
  return line;
}

// The exit code that tells how the process ended.
Result<int> WaitFor(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    const int saved = errno;
    if (saved != EINTR) return ErrnoError(saved, "waitpid({})", pid);
  }
  return WIFSIGNALED(status) ? kSignalledExit + WTERMSIG(status) : WEXITSTATUS(status);
}

Result<int> RestoreAsTold(const CommandLine& line) {
  CKPT_TRY(Log log, Log::Open(LogPath(line.restore.images_dir, line.log_file), line.log_level));
  const Result<pid_t> restored = Restore(line.restore, log);
  if (restored.has_error()) {
    if (!line.log_file.empty()) log.Error("{}", restored.error().message);
    return restored.error();
  }
  log.Info("process {} runs", restored.value());
  if (line.detached) return kExitDone;
  return WaitFor(restored.value());
}

Result<po::variables_map> Parse(std::span<const std::string> arguments,
                                const po::options_description& options) {
  po::variables_map values;
  const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  try {
    po::store(po::command_line_parser({arguments.begin(), arguments.end()})
                  .options(options)
                  .positional({})
                  .style(style)
                  .run(),
              values);
    po::notify(values);
  } catch (const po::error& error) {
    return UsageError(error.what());
  }
  return values;
}

Result<int> ParseAndRestore(std::span<const std::string> arguments, std::ostream& out) {
  const po::options_description options = DescribeOptions();
  CKPT_TRY(const po::variables_map values, Parse(arguments, options));
  if (values.count("help") > 0) {
    out << "usage: ckpt-restore -D DIR [OPTION]...\n"
           "Brings the process of a dump back, from images of CRIU's format.\n\n"
        << options;
    return kExitDone;
  }
  if (values.count("version") > 0) {
    out << kVersion << '\n';
    return kExitDone;
  }
  CKPT_TRY(const CommandLine line, Interpret(values));
  return RestoreAsTold(line);
}

}  // namespace

int RunRestore(std::span<const std::string> arguments, std::ostream& out, std::ostream& err) {
  Result<int> done = kExitDone;
  try {
    done = ParseAndRestore(arguments, out);
  } catch (const std::exception& exception) {
    done = MakeError(ErrorCode::kInternal, "{}", exception.what());
  }
  if (done.has_value()) return done.value();
  fmt::print(err, "ckpt-restore: {}\n", done.error().message);
  return static_cast<int>(done.error().code);
}

}  // namespace ckpt
