#include "base/shell_completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <array>
#include <string>

namespace ckpt {
namespace {

using testing::HasSubstr;

ProgramManual Sample() {
  ProgramManual manual;
  manual.name = "some-tool";
  const OptionText help = {"-h", "--help", "", "it's [this]: help", false};
  const OptionText limit = {"", "--limit", " BYTES (=5)", "most", true};
  manual.commands = {{"act", "acts", "FILE...", "", {help, limit}},
                     {"ask", "asks", "[COMMAND]", "", {help}},
                     {"shell", "a shell", "bash|zsh", "", {help}}};
  return manual;
}

// What bash completes the last of these words to; a space before each.
std::string Complete(const ProgramManual& manual, const std::string& words) {
  const std::string script =
      CompletionScript(manual, "bash").value() + "COMP_WORDS=(" + words +
      ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_some_tool\nprintf ' %s' \"${COMPREPLY[@]}\"\n";
  std::string quoted;
  for (const char character : script) {
    quoted += character == '\'' ? std::string("'\\''") : std::string(1, character);
  }
  FILE* const bash = popen(("bash -c '" + quoted + "' 2>&1").c_str(), "r");
  EXPECT_NE(bash, nullptr);
  std::array<char, 4096> buffer;
  const size_t size = fread(buffer.data(), 1, buffer.size(), bash);
  EXPECT_EQ(pclose(bash), 0);
  return std::string(buffer.data(), size);
}

TEST(BashCompletion, CompletesCommandsAndTheirOptions) {
  EXPECT_EQ(Complete(Sample(), "some-tool a"), " act ask");
  EXPECT_EQ(Complete(Sample(), "some-tool ''"), " act ask shell");
  EXPECT_EQ(Complete(Sample(), "some-tool act --l"), " --limit");
  EXPECT_EQ(Complete(Sample(), "some-tool act -"), " -h --help --limit");
  EXPECT_EQ(Complete(Sample(), "some-tool act file -"), " -h --help --limit");
}

TEST(BashCompletion, CompletesOperandsThatAreWords) {
  EXPECT_EQ(Complete(Sample(), "some-tool shell z"), " zsh");
  EXPECT_EQ(Complete(Sample(), "some-tool ask s"), " shell");
}

TEST(BashCompletion, LeavesFilesToTheShell) {
  EXPECT_EQ(Complete(Sample(), "some-tool act f"), " ");
  EXPECT_THAT(CompletionScript(Sample(), "bash").value(),
              HasSubstr("complete -o bashdefault -o default -F _some_tool some-tool\n"));
}

TEST(BashCompletion, KnowsOptionsWithoutCommands) {
  ProgramManual manual;
  manual.name = "some-tool";
  manual.options = {{"-t", "--tree", " PID", "the process", true}};
  EXPECT_EQ(Complete(manual, "some-tool -"), " -t --tree");
  EXPECT_EQ(Complete(manual, "some-tool --tree 1 --t"), " --tree");
}

TEST(ZshCompletion, NamesCommandsOptionsAndOperands) {
  const std::string script = CompletionScript(Sample(), "zsh").value();
  EXPECT_THAT(script, testing::StartsWith("#compdef some-tool\n"));
  EXPECT_THAT(script, HasSubstr("    'act:acts'\n"));
  EXPECT_THAT(script, HasSubstr("'*--help[it'\\''s \\[this\\]\\: help]'"));
  EXPECT_THAT(script, HasSubstr("'*--limit=[most]:value:_files'"));
  EXPECT_THAT(script, HasSubstr("'*:word:(bash zsh)'"));
  EXPECT_THAT(script, HasSubstr("'*:file:_files'"));
}

TEST(CompletionScript, IsForShellsThatItKnows) {
  const auto script = CompletionScript(Sample(), "fish");
  ASSERT_FALSE(script);
  EXPECT_EQ(script.error().code, ErrorCode::kUsage);
  EXPECT_EQ(script.error().message, "no completion for the shell 'fish', only for bash|zsh");
}

}  // namespace
}  // namespace ckpt
