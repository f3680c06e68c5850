#include "imgtool/help_text.h"

#include <fmt/ostream.h>

#include <algorithm>
#include <ostream>
#include <string>

namespace ckpt {

namespace po = boost::program_options;

po::options_description OwnOptions(const Command& command) {
  po::options_description own("options");
  own.add_options()("help,h", "show this help");
  command.add_options(own);
  return own;
}

void PrintOverview(std::ostream& out) {
  fmt::print(out, "usage: imgtool COMMAND [OPTION]... OPERAND...\n\ncommands:\n");
  for (const Command& command : Commands()) {
    fmt::print(out, "  {:<12} {}\n", command.name, command.summary);
  }
  fmt::print(out, "\n`imgtool help COMMAND` tells more. --version prints the version.\n");
}

void PrintHelp(const Command& command, std::ostream& out) {
  fmt::print(out, "usage: imgtool {} [OPTION]...{}{}\n{}\n\n", command.name,
             command.operands.empty() ? "" : " ", command.operands, command.summary);
  out << OwnOptions(command) << '\n';
  fmt::print(out, "{}", command.description);
}

ProgramManual ImgtoolManual() {
  ProgramManual manual;
  manual.name = "imgtool";
  manual.version = kImgtoolVersion.substr(0, kImgtoolVersion.find(" ("));
  manual.summary = "shows, checks and changes checkpoints in CRIU's image format";
  manual.synopsis = {"imgtool COMMAND [OPTION]... OPERAND...", "imgtool help COMMAND",
                     "imgtool --help | --version"};
  manual.description =
      "imgtool does to images what can be done while nothing runs: it shows them, finds what is\n"
      "wrong with them and changes them. It needs no privileges beyond reading and writing the\n"
      "files, and never writes over its input unless told to.\n\n"
      "Where a command only reads, a dump is a directory, an archive (tar, plain or compressed by\n"
      "gzip, bzip2, xz or zstd, with the images at its top or in checkpoint/), or - for an "
      "archive\n"
      "on the standard input. What is needed of an archive is unpacked to a private directory\n"
      "under TMPDIR, or /var/tmp, which is removed at the end.\n";
  for (const Command& command : Commands()) {
    manual.commands.push_back({.name = std::string(command.name),
                               .summary = std::string(command.summary),
                               .operands = std::string(command.operands),
                               .description = std::string(command.description),
                               .options = OptionTexts(OwnOptions(command))});
  }
  manual.see_also = {"ckpt-dump", "ckpt-restore", "criu", "crit"};
  return manual;
}

const Command* FindCommand(std::string_view name) {
  const auto command = std::ranges::find(Commands(), name, &Command::name);
  return command == Commands().end() ? nullptr : &*command;
}

}  // namespace ckpt
