// What a program says of itself, and the manual page made of it: man(7).
#ifndef BASE_PROGRAM_MANUAL_H_
#define BASE_PROGRAM_MANUAL_H_

#include <boost/program_options/options_description.hpp>
#include <string>
#include <vector>

namespace ckpt {

struct OptionText {
  std::string short_name;  // "-h", or empty
  std::string long_name;   // "--help"
  std::string argument;    // " BYTES (=1024)", "[=LEVEL(=3)]", or empty
  std::string help;
  bool takes_value = false;
};

// The options in the order in which they were added.
std::vector<OptionText> OptionTexts(const boost::program_options::options_description& description);

// A command of a program that has several.
struct CommandManual {
  std::string name;
  std::string summary;
  std::string operands;
  std::string description;  // paragraphs with an empty line between them
  std::vector<OptionText> options;
};

struct ProgramManual {
  std::string name;
  std::string version;
  std::string summary;  // half a line
  std::vector<std::string> synopsis;
  std::string description;  // as that of a command
  std::vector<OptionText> options;
  std::vector<CommandManual> commands;
  std::vector<std::string> see_also;  // names of programs
};

// The page in section 1, for man(1). Paragraphs with an indented line keep their lines. It carries
// no date, so that it changes only when the program does.
std::string ManualPage(const ProgramManual& manual);

}  // namespace ckpt

#endif  // BASE_PROGRAM_MANUAL_H_
