#include "dumper/run_dump.h"

#include <fmt/ostream.h>
#include <signal.h>
#include <time.h>

#include <boost/program_options.hpp>
#include <cstring>
#include <exception>
#include <ostream>
#include <vector>

#include "base/log.h"
#include "base/progress.h"
#include "base/result.h"
#include "dumper/dump.h"
#include "process/kernel_features.h"

namespace ckpt {

namespace {

namespace po = boost::program_options;

constexpr std::string_view kVersion = "ckpt-dump 0.1 (CRIU image format, img_version 2)";

struct CommandLine {
  DumpOptions dump;
  std::string log_file;
  LogLevel log_level = kDefaultLogLevel;
};

po::options_description DescribeOptions() {
  po::options_description options("options");
  options.add_options()                                                         //
      ("tree,t", po::value<pid_t>()->value_name("PID"), "the process to dump")  //
      ("images-dir,D", po::value<std::string>()->value_name("DIR")->default_value("."),
       "where the images go")  //
      ("log-file,o", po::value<std::string>()->value_name("FILE")->default_value(""),
       "the log, in the images directory unless absolute (default: stderr)")  //
      ("verbosity,v", po::value<std::string>()->value_name("[N]")->implicit_value(""),
       "log level: 1 errors, 2 warnings (default), 3 information, 4 everything")  //
      ("leave-running,R", "let the process run on")                               //
      ("leave-stopped,s", "leave the process stopped (SIGSTOP)")                  //
      ("plain-kernel", "do without PAGEMAP_SCAN, PROCMAP_QUERY and statmount")    //
      ("help,h", "show this help")                                                //
      ("version,V", "show the version");
  return options;
}

Error UsageError(std::string_view message) {
  return MakeError(ErrorCode::kUsage, "{} (see ckpt-dump --help)", message);
}

Result<CommandLine> Interpret(const po::variables_map& values) {
  CommandLine line;
  if (values.count("tree") == 0) return UsageError("no process given: -t PID");
  line.dump.pid = values["tree"].as<pid_t>();
  if (line.dump.pid <= 0) return UsageError("the pid is not positive");
  line.dump.images_directory = values["images-dir"].as<std::string>();
  line.log_file = values["log-file"].as<std::string>();
  if (values.count("verbosity") > 0) {
    const std::string text = values["verbosity"].as<std::string>();
    const auto level = ParseLogLevel(text);
    if (!level) return UsageError(fmt::format("\"-v{}\": levels are 0 to 4", text));
    line.log_level = *level;
  }
  const bool running = values.count("leave-running") > 0;
  const bool stopped = values.count("leave-stopped") > 0;
  if (running && stopped) return UsageError("-R and -s exclude each other");
  if (running) line.dump.after = AfterDump::kLeaveRunning;
  if (stopped) line.dump.after = AfterDump::kLeaveStopped;
  line.dump.features =
      values.count("plain-kernel") > 0 ? FallbackKernelFeatures() : DetectKernelFeatures();
  return line;
}

// Keyboard and shell ask a dump to end: these signals are blocked while it runs, so that they
// cannot end it while the process is frozen, and looked for between steps.
class Interruptions {
 public:
  Interruptions() {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, &old_mask_);
  }
  Interruptions(const Interruptions&) = delete;
  Interruptions& operator=(const Interruptions&) = delete;
  ~Interruptions() { pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr); }

  Result<> Check() const {
    const timespec now{};
    const int signal = sigtimedwait(&signals_, nullptr, &now);
    if (signal < 0) return success();
    return MakeError(ErrorCode::kSystem, "interrupted by {}", strsignal(signal));
  }

 private:
  sigset_t signals_;
  sigset_t old_mask_;
};

Result<> DumpAsTold(CommandLine line) {
  CKPT_TRY(Log log, Log::Open(LogPath(line.dump.images_directory, line.log_file), line.log_level));
  const Interruptions interruptions;
  Progress progress("writing pages");
  line.dump.before_step = [&](std::string_view) { return interruptions.Check(); };
  line.dump.progress = [&](uint64_t written_bytes, uint64_t total_bytes) {
    progress.Update(written_bytes, total_bytes);
    return interruptions.Check();
  };
  const auto dumped = Dump(line.dump, log);
  if (dumped.has_value()) return success();
  if (!line.log_file.empty()) log.Error("{}", dumped.error().message);
  return dumped.error();
}

Result<> ParseAndDump(std::span<const std::string> arguments, std::ostream& out) {
  const po::options_description options = DescribeOptions();
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
  if (values.count("help") > 0) {
    out << "usage: ckpt-dump -t PID [OPTION]...\n"
           "Freezes a process and writes it down raw, as images of CRIU's format.\n\n"
        << options;
    return success();
  }
  if (values.count("version") > 0) {
    out << kVersion << '\n';
    return success();
  }
  CKPT_TRY(CommandLine line, Interpret(values));
  return DumpAsTold(std::move(line));
}

}  // namespace

int RunDump(std::span<const std::string> arguments, std::ostream& out, std::ostream& err) {
  Result<> done = success();
  try {
    done = ParseAndDump(arguments, out);
  } catch (const std::exception& exception) {
    done = MakeError(ErrorCode::kInternal, "{}", exception.what());
  }
  if (done.has_value()) return kExitDone;
  fmt::print(err, "ckpt-dump: {}\n", done.error().message);
  return static_cast<int>(done.error().code);
}

}  // namespace ckpt
