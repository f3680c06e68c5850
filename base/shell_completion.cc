#include "base/shell_completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace ckpt {
namespace {

std::string FunctionName(const ProgramManual& manual) {
  std::string name = "_" + manual.name;
  std::ranges::replace(name, '-', '_');
  return name;
}

std::string CommandNames(const ProgramManual& manual) {
  std::string names;
  for (const CommandManual& command : manual.commands) {
    names += (names.empty() ? "" : " ") + command.name;
  }
  return names;
}

// What an operand can be, with spaces between; empty where it is a file.
std::string OperandWords(const ProgramManual& manual, const CommandManual& command) {
  if (command.operands == "[COMMAND]") return CommandNames(manual);
  const bool is_choice = command.operands.find('|') != std::string::npos &&
                         std::ranges::all_of(command.operands, [](char character) {
                           return (character >= 'a' && character <= 'z') || character == '|';
                         });
  if (!is_choice) return "";
  std::string words = command.operands;
  std::ranges::replace(words, '|', ' ');
  return words;
}

std::string OptionWords(const std::vector<OptionText>& options) {
  std::string words;
  for (const OptionText& option : options) {
    for (const std::string& name : {option.short_name, option.long_name}) {
      if (!name.empty()) words += (words.empty() ? "" : " ") + name;
    }
  }
  return words;
}

std::string BashCases(const ProgramManual& manual) {
  std::string cases;
  for (const CommandManual& command : manual.commands) {
    cases += fmt::format("    {})\n      options=\"{}\"\n      words=\"{}\"\n      ;;\n",
                         command.name, OptionWords(command.options), OperandWords(manual, command));
  }
  return cases;
}

// Where there is no word of ours, bash takes file names by itself.
std::string BashScript(const ProgramManual& manual) {
  std::string script = fmt::format(
      "# bash completion of {0}, made by the program itself\n"
      "{1}() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}}\n"
      "  local options=\"{2}\" words=\"{3}\"\n",
      manual.name, FunctionName(manual), OptionWords(manual.options), CommandNames(manual));
  if (!manual.commands.empty()) {
    script += fmt::format(
        "  if ((COMP_CWORD > 1)); then\n    options= words=\n    case ${{COMP_WORDS[1]}} in\n{}"
        "    esac\n  fi\n",
        BashCases(manual));
  }
  script += fmt::format(
      "  if [[ $current == -* ]]; then words=$options; fi\n"
      "  COMPREPLY=()\n"
      "  if [[ -n $words ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
      "  fi\n"
      "}}\n"
      "complete -o bashdefault -o default -F {} {}\n",
      FunctionName(manual), manual.name);
  return script;
}

// Within single quotes, in an explanation between brackets.
std::string ZshText(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    if (character == '\'') {
      escaped += "'\\''";
      continue;
    }
    if (character == '[' || character == ']' || character == ':' || character == '\\') {
      escaped += '\\';
    }
    escaped += character;
  }
  return escaped;
}

std::string ZshOption(std::string_view name, const OptionText& option) {
  const bool is_optional = option.argument.starts_with('[');
  std::string_view value = "";
  if (option.takes_value) value = is_optional ? "=-" : "=";
  if (option.takes_value && !name.starts_with("--")) value = is_optional ? "-" : "+";
  return fmt::format(" \\\n        '*{}{}[{}]{}'", name, value, ZshText(option.help),
                     !option.takes_value ? ""
                     : is_optional       ? "::value:"
                                         : ":value:_files");
}

std::string ZshOptions(const std::vector<OptionText>& options) {
  std::string script;
  for (const OptionText& option : options) {
    if (!option.short_name.empty()) script += ZshOption(option.short_name, option);
    script += ZshOption(option.long_name, option);
  }
  return script;
}

std::string ZshOperand(const std::string& words) {
  return words.empty() ? " \\\n        '*:file:_files'"
                       : fmt::format(" \\\n        '*:word:({})'", words);
}

std::string ZshCommands(const ProgramManual& manual) {
  std::string script = "  local -a commands=(\n";
  for (const CommandManual& command : manual.commands) {
    script += fmt::format("    '{}:{}'\n", command.name, ZshText(command.summary));
  }
  script +=
      "  )\n"
      "  if ((CURRENT == 2)); then\n"
      "    _describe -t commands command commands\n"
      "    return\n"
      "  fi\n"
      "  shift words\n"
      "  ((CURRENT--))\n"
      "  case $words[1] in\n";
  for (const CommandManual& command : manual.commands) {
    script += fmt::format("    {})\n      _arguments -s{}{}\n      ;;\n", command.name,
                          ZshOptions(command.options), ZshOperand(OperandWords(manual, command)));
  }
  return script + "  esac\n";
}

// In a file of $fpath the script is the body of the function `_NAME`, which the first completion
// runs; read as a script it only says what completes the program.
std::string ZshScript(const ProgramManual& manual) {
  std::string script = fmt::format("#compdef {}\n# made by the program itself\n{}() {{\n",
                                   manual.name, FunctionName(manual));
  script += manual.commands.empty() ? fmt::format("  _arguments -s{}\n", ZshOptions(manual.options))
                                    : ZshCommands(manual);
  return script + fmt::format(
                      "}}\n"
                      "if [[ $funcstack[1] == _{0} ]]; then\n"
                      "  {1} \"$@\"\n"
                      "else\n"
                      "  compdef {1} {0}\n"
                      "fi\n",
                      manual.name, FunctionName(manual));
}

}  // namespace

Result<std::string> CompletionScript(const ProgramManual& manual, std::string_view shell) {
  if (shell == "bash") return BashScript(manual);
  if (shell == "zsh") return ZshScript(manual);
  return MakeError(ErrorCode::kUsage, "no completion for the shell '{}', only for {}", shell,
                   kCompletionShells);
}

}  // namespace ckpt
