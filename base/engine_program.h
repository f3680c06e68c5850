// What ckpt-dump and ckpt-restore have in common: the options that both have, help and version, the
// log, and the way from an error to an exit code. (imgtool has a table of commands of its own.)
#ifndef BASE_ENGINE_PROGRAM_H_
#define BASE_ENGINE_PROGRAM_H_

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/result.h"

namespace ckpt {

// The options of both programs, parsed.
struct EngineInvocation {
  const boost::program_options::variables_map& options;
  std::string images_directory;
  Log& log;
};

struct EngineProgram {
  std::string_view name;
  std::string_view version;
  std::string_view usage;  // the lines of --help above the options
  std::string_view images_directory_help;
  // Adds the options that only this program has.
  void (*add_options)(boost::program_options::options_description& options);
  // kUsage where `options` cannot be together, or are no sense; called before the log is opened.
  Result<> (*check)(const boost::program_options::variables_map& options);
  // Returns the exit code. An error goes to the standard error, and to the log where it is a file.
  Result<int> (*run)(const EngineInvocation& invocation);
};

// `arguments` are those after the program's name. Returns the exit code: see base/result.h.
// Exceptions of libraries end here.
int RunEngineProgram(const EngineProgram& program, std::span<const std::string> arguments,
                     std::ostream& out, std::ostream& err);

}  // namespace ckpt

#endif  // BASE_ENGINE_PROGRAM_H_
