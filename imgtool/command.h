// What a command of imgtool is: one row of the table in commands.cc. Help, dispatch, documentation
// and tests walk that table.
#ifndef IMGTOOL_COMMAND_H_
#define IMGTOOL_COMMAND_H_

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ckpt {

// Where a command reads and writes; the process's own three in main, strings in tests.
struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

// One command line, parsed: the command's own options, and what stands beside them.
struct Invocation {
  const boost::program_options::variables_map& options;
  std::span<const std::string> operands;
  Streams streams;
};

struct Command {
  std::string_view name;
  std::string_view summary;   // half a line, for the list of commands
  std::string_view operands;  // how the usage line shows them: "PATH..."
  // Paragraphs shown by `imgtool NAME --help` below the options: the contract of the command.
  std::string_view description;
  size_t min_operands = 1;  // fewer is a usage error
  size_t max_operands = 1;
  // How many of the first operands may be dumps, which an earlier run may have left in a rewrite.
  size_t dump_operands = 1;
  // The name of an option the value of which may be one; none if empty.
  std::string_view dump_option = "";
  // Adds the command's options; --help is there already.
  void (*add_options)(boost::program_options::options_description& options);
  // Returns the exit code. An error is printed to streams.err by the caller, as
  // "imgtool NAME: message", and its code becomes the exit code.
  Result<int> (*run)(const Invocation& invocation);
};

inline constexpr size_t kAnyNumber = SIZE_MAX;

// All commands, in the order of the help.
std::span<const Command> Commands();

}  // namespace ckpt

#endif  // IMGTOOL_COMMAND_H_
