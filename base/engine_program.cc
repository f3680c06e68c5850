#include "base/engine_program.h"

#include <fmt/ostream.h>

#include <boost/program_options.hpp>
#include <cctype>
#include <exception>
#include <ostream>
#include <vector>

#include "base/program_manual.h"
#include "base/shell_completion.h"

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
      ("version,V", "show the version")                                           //
      ("manual", "print the manual page, for man -l -")                           //
      ("completion", po::value<std::string>()->value_name("bash|zsh"),
       "print a script by which that shell completes command lines of this program");
  return options;
}

// Of "usage: NAME ..." and the lines behind it.
ProgramManual ManualOf(const EngineProgram& program, const po::options_description& options) {
  constexpr std::string_view kUsage = "usage: ";
  const size_t line_end = program.usage.find('\n');
  ProgramManual manual;
  manual.name = program.name;
  manual.version = program.version.substr(0, program.version.find(" ("));
  manual.description = program.usage.substr(line_end + 1);
  manual.summary = manual.description.substr(0, manual.description.find_last_not_of(".\n") + 1);
  manual.summary[0] = static_cast<char>(std::tolower(manual.summary[0]));
  manual.synopsis = {std::string(program.usage.substr(kUsage.size(), line_end - kUsage.size()))};
  manual.options = OptionTexts(options);
  for (const char* const other : {"ckpt-dump", "ckpt-restore", "imgtool", "criu"}) {
    if (manual.name != other) manual.see_also.emplace_back(other);
  }
  return manual;
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
  Result<int> done = program.run({values, images_directory, log});
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
  if (values.count("manual") > 0) {
    out << ManualPage(ManualOf(program, options));
    return kExitDone;
  }
  if (values.count("completion") > 0) {
    CKPT_TRY(const std::string script,
             CompletionScript(ManualOf(program, options), values["completion"].as<std::string>()));
    out << script;
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
