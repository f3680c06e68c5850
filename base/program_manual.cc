#include "base/program_manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <span>
#include <string_view>

#include "base/result.h"

namespace ckpt {
namespace {

struct ExitStatus {
  int code;
  std::string_view meaning;
};

constexpr ExitStatus kExitStatuses[] = {
    {kExitDone, "done"},
    {kExitFindings, "findings, or differences"},
    {static_cast<int>(ErrorCode::kUsage), "the command line is wrong"},
    {static_cast<int>(ErrorCode::kNotFound), "a named file or process does not exist"},
    {static_cast<int>(ErrorCode::kBadFormat), "the input bytes break the format"},
    {static_cast<int>(ErrorCode::kUnsupported), "well-formed, but beyond the program"},
    {static_cast<int>(ErrorCode::kPermission), "the kernel said EPERM or EACCES"},
    {static_cast<int>(ErrorCode::kProcessGone), "a process went away"},
    {static_cast<int>(ErrorCode::kSystem), "another system call failed"},
    {static_cast<int>(ErrorCode::kInternal), "a bug of the program"},
};

// What roff takes for something else, or shows as another character.
std::string_view Escape(char character) {
  switch (character) {
    case '\\':
      return "\\e";
    case '-':
      return "\\-";
    case '`':
      return "\\(ga";
    case '\'':
      return "\\(aq";
    case '^':
      return "\\(ha";
    case '~':
      return "\\(ti";
    default:
      return {};
  }
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    const std::string_view replacement = Escape(character);
    if (replacement.empty()) {
      escaped += character;
    } else {
      escaped += replacement;
    }
  }
  return escaped;
}

// A line of text: a dot at its start would make it a request.
std::string Line(std::string_view text) {
  return fmt::format("{}{}\n", text.starts_with('.') ? "\\&" : "", Escaped(text));
}

std::vector<std::string_view> Split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + separator.size());
  }
}

std::vector<std::string_view> Lines(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  while (text.starts_with('\n')) text.remove_prefix(1);
  return text.empty() ? std::vector<std::string_view>() : Split(text, "\n");
}

std::string Paragraph(std::string_view text) {
  const std::vector<std::string_view> lines = Lines(text);
  if (lines.empty()) return "";
  const bool keeps_lines =
      std::ranges::any_of(lines, [](std::string_view line) { return line.starts_with(' '); });
  std::string page = ".PP\n";
  if (keeps_lines) page += ".nf\n";
  for (const std::string_view line : lines) page += Line(line);
  if (keeps_lines) page += ".fi\n";
  return page;
}

std::string Paragraphs(std::string_view text) {
  std::string page;
  for (const std::string_view part : Split(text, "\n\n")) page += Paragraph(part);
  return page;
}

std::string Options(const std::vector<OptionText>& options) {
  std::string page;
  for (const OptionText& option : options) {
    page += ".TP\n";
    page += fmt::format("\\fB{}{}{}\\fR{}\n", Escaped(option.short_name),
                        option.short_name.empty() ? "" : "\\fR, \\fB", Escaped(option.long_name),
                        Escaped(option.argument));
    page += Line(option.help);
  }
  return page;
}

std::string Command(const ProgramManual& manual, const CommandManual& command) {
  std::string page = fmt::format(".SS {}\n", Escaped(command.name));
  page += fmt::format("\\fB{} {}\\fR [\\fIOPTION\\fR]... {}\n", Escaped(manual.name),
                      Escaped(command.name), Escaped(command.operands));
  while (page.ends_with(" \n")) page.erase(page.size() - 2, 1);
  page += Paragraph(command.summary);
  page += Paragraphs(command.description);
  return page + Options(command.options);
}

std::string ExitStatusSection() {
  std::string page = ".SH EXIT STATUS\n";
  for (const ExitStatus& status : kExitStatuses) {
    page += fmt::format(".TP\n.B {}\n{}", status.code, Line(status.meaning));
  }
  return page;
}

std::string SeeAlso(const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::string page = ".SH SEE ALSO\n";
  for (const std::string& name : names) {
    const bool is_last = &name == &names.back();
    page += fmt::format(".BR {} (1){}\n", Escaped(name), is_last ? "" : ",");
  }
  return page;
}

}  // namespace

std::vector<OptionText> OptionTexts(
    const boost::program_options::options_description& description) {
  std::vector<OptionText> texts;
  for (const auto& option : description.options()) {
    OptionText& text = texts.emplace_back();
    const std::string names = option->format_name();  // "-h [ --help ]"
    if (!names.starts_with("--")) text.short_name = names.substr(0, 2);
    text.long_name = "--" + option->long_name();
    text.help = option->description();
    text.takes_value = option->semantic()->max_tokens() > 0;
    const std::string argument = option->format_parameter();
    if (!argument.empty()) text.argument = (argument.starts_with('[') ? "" : " ") + argument;
  }
  return texts;
}

std::string ManualPage(const ProgramManual& manual) {
  std::string title = manual.name;
  for (char& letter : title) letter = static_cast<char>(std::toupper(letter));
  std::string page =
      fmt::format(".TH \"{}\" 1 \"\" \"{}\"\n", Escaped(title), Escaped(manual.version));
  page += fmt::format(".SH NAME\n{} \\- {}\n", Escaped(manual.name), Escaped(manual.summary));
  page += ".SH SYNOPSIS\n.nf\n";
  for (const std::string& line : manual.synopsis) page += Line(line);
  page += ".fi\n";
  if (!manual.description.empty()) page += ".SH DESCRIPTION\n" + Paragraphs(manual.description);
  if (!manual.options.empty()) page += ".SH OPTIONS\n" + Options(manual.options);
  if (!manual.commands.empty()) page += ".SH COMMANDS\n";
  for (const CommandManual& command : manual.commands) page += Command(manual, command);
  return page + ExitStatusSection() + SeeAlso(manual.see_also);
}

}  // namespace ckpt
