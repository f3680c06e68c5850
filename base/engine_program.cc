#include "base/engine_program.h"

#include <fmt/ostream.h>

#include <boost/program_options.hpp>
#include <exception>
#include <ostream>
#include <vector>

namespace ckpt {

namespace {

namespace po = boost::program_options;

po::options_description DescribeOptions(const EngineProgram& program) {
  po::options_description options("options");
  options.add_options()("images-dir,D",
                        po::value<std::string>()->value_name("DIR")->default_value("."),
                        std::string(program.images_directory_help).c_str());
  program.add_options(options);
  options.add_options()  //
      ("log-file,o", po::value<std::string>()->value_name("FILE")->default_value(""),
       "the log, in the images directory unless absolute (default: stderr)")  //
      ("verbosity,v", po::value<std::string>()->value_name("[N]")->implicit_value(""),
       "log level: 1 errors, 2 warnings (default), 3 information, 4 everything")  //
      ("help,h", "show this help")                                                //
      ("version,V", "show the version");
  return options;
}

Error UsageError(const EngineProgram& program, std::string_view message) {
  return MakeError(ErrorCode::kUsage, "{} (see {} --help)", message, program.name);
}

Result<po::variables_map> Parse(const EngineProgram& program,
                                std::span<const std::string> arguments,
                                const po::options_description& options) {
  po::variables_map values;
  // A shortened option today is an ambiguous one after the next release.
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
    return UsageError(program, error.what());
  }
  return values;
}

Result<LogLevel> LevelOf(const EngineProgram& program, const po::variables_map& values) {
  if (values.count("verbosity") == 0) return kDefaultLogLevel;
  const std::string text = values["verbosity"].as<std::string>();
  const auto level = ParseLogLevel(text);
  if (!level) return UsageError(program, fmt::format("\"-v{}\": levels are 0 to 4", text));
  return *level;
}

Result<int> RunWithLog(const EngineProgram& program, const po::variables_map& values) {
  CKPT_TRY(const LogLevel level, LevelOf(program, values));
  Result<> checked = program.check(values);
  if (checked.has_error()) return UsageError(program, checked.error().message);
  const std::string images_directory = values["images-dir"].as<std::string>();
  const std::string log_file = values["log-file"].as<std::string>();
  CKPT_TRY(Log log, Log::Open(LogPath(images_directory, log_file), level));
  const Result<int> done = program.run({values, images_directory, log});
  if (done.has_error() && !log_file.empty()) log.Error("{}", done.error().message);
  return done;
}

Result<int> ParseAndRun(const EngineProgram& program, std::span<const std::string> arguments,
                        std::ostream& out) {
  const po::options_description options = DescribeOptions(program);
  CKPT_TRY(const po::variables_map values, Parse(program, arguments, options));
  if (values.count("help") > 0) {
    out << program.usage << '\n' << options;
    return kExitDone;
  }
  if (values.count("version") > 0) {
    out << program.version << '\n';
    return kExitDone;
  }
  return RunWithLog(program, values);
}

}  // namespace

int RunEngineProgram(const EngineProgram& program, std::span<const std::string> arguments,
                     std::ostream& out, std::ostream& err) {
  Result<int> done = kExitDone;
  try {
    done = ParseAndRun(program, arguments, out);
  } catch (const std::exception& exception) {
    done = MakeError(ErrorCode::kInternal, "{}", exception.what());
  }
  if (done.has_value()) return done.value();
  fmt::print(err, "{}: {}\n", program.name, done.error().message);
  return static_cast<int>(done.error().code);
}

}  // namespace ckpt
