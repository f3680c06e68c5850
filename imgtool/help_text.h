// What imgtool says of itself and its commands, from the table of commands.
#ifndef IMGTOOL_HELP_TEXT_H_
#define IMGTOOL_HELP_TEXT_H_

#include <boost/program_options/options_description.hpp>
#include <iosfwd>
#include <string_view>

#include "base/program_manual.h"
#include "imgtool/command.h"

namespace ckpt {

inline constexpr std::string_view kImgtoolVersion =
    "imgtool 0.1 (CRIU image format, img_version 1 and 2)";

// The options of a command with --help before them.
boost::program_options::options_description OwnOptions(const Command& command);

// `imgtool --help` and `imgtool COMMAND --help`.
void PrintOverview(std::ostream& out);
void PrintHelp(const Command& command, std::ostream& out);

// The same for man(1) and shells.
ProgramManual ImgtoolManual();

// Null where there is no command of that name.
const Command* FindCommand(std::string_view name);

}  // namespace ckpt

#endif  // IMGTOOL_HELP_TEXT_H_
